using System.Diagnostics;
using NATS.Client.Core;

namespace Cocaine.Fast.Bench.Load;

/// <summary>NATS request/reply through its server.</summary>
internal sealed class NatsLoad : Load
{
    private readonly CancellationTokenSource _over = new();
    private readonly List<NatsConnection> _connections = [];
    private readonly List<Task> _loops = [];

    public override async Task StartAsync(LoadSpec spec)
    {
        for (int i = 0; i < spec.Connections; i++)
        {
            NatsConnection connection = new(new NatsOpts { Url = spec.Endpoint.Replace("tcp://", "nats://", StringComparison.Ordinal) });
            await connection.ConnectAsync();
            _connections.Add(connection);
            for (int k = 0; k < spec.InFlight; k++)
            {
                Tally tally = new();
                Tallies.Add(tally);
                _loops.Add(Task.Run(() => RunAsync(connection, spec.SizeBytes, tally)));
            }
        }
    }

    public override async Task StopAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_loops);
        foreach (NatsConnection connection in _connections)
        {
            await connection.DisposeAsync();
        }

        _over.Dispose();
    }

    private async Task RunAsync(NatsConnection connection, int sizeBytes, Tally tally)
    {
        byte[] request = new byte[sizeBytes];
        while (!_over.IsCancellationRequested)
        {
            long start = Stopwatch.GetTimestamp();
            NatsMsg<byte[]> answer = await connection.RequestAsync<byte[], byte[]>("echo", request);
            tally.Wrong += answer.Data?.Length == sizeBytes ? 0 : 1;
            tally.Record(Stopwatch.GetTimestamp() - start);
        }
    }
}
