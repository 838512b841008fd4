using System.Diagnostics;
using Grpc.Core;
using Grpc.Net.Client;

namespace Cocaine.Fast.Bench.Load;

/// <summary>Unary gRPC calls over cleartext HTTP/2, bytes as they are.</summary>
internal sealed class GrpcLoad : Load
{
    public static readonly Method<byte[], byte[]> Echo = new(
        MethodType.Unary, "echo.Echo", "Echo", Marshallers.Create(bytes => bytes, bytes => bytes),
            Marshallers.Create(bytes => bytes, bytes => bytes));

    private readonly CancellationTokenSource _over = new();
    private readonly List<GrpcChannel> _channels = [];
    private readonly List<Task> _loops = [];

    public override Task StartAsync(LoadSpec spec)
    {
        string address = "http" + spec.Endpoint[spec.Endpoint.IndexOf(':')..];
        for (int i = 0; i < spec.Connections; i++)
        {
            GrpcChannel channel = GrpcChannel.ForAddress(address, new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler() });
            _channels.Add(channel);
            for (int k = 0; k < spec.InFlight; k++)
            {
                Tally tally = new();
                Tallies.Add(tally);
                _loops.Add(Task.Run(() => RunAsync(channel.CreateCallInvoker(), spec.SizeBytes, tally)));
            }
        }

        return Task.CompletedTask;
    }

    public override async Task StopAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_loops);
        _channels.ForEach(channel => channel.Dispose());
        _over.Dispose();
    }

    private async Task RunAsync(CallInvoker invoker, int sizeBytes, Tally tally)
    {
        byte[] request = new byte[sizeBytes];
        while (!_over.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            byte[] answer = await invoker.AsyncUnaryCall(Echo, null, default, request);
            tally.Wrong += answer.Length == sizeBytes ? 0 : 1;
            tally.Record(Stopwatch.GetTimestamp() - start);
        }
    }
}
