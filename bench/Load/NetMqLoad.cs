using System.Diagnostics;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Bench.Load;

/// <summary>DEALER sockets against a ROUTER, on one poller.</summary>
internal sealed class NetMqLoad : Load
{
    private readonly NetMQPoller _poller = [];
    private readonly List<DealerSocket> _sockets = [];

    public override Task StartAsync(LoadSpec spec)
    {
        Tally tally = new();
        Tallies.Add(tally);
        for (int i = 0; i < spec.Connections; i++)
        {
            DealerSocket socket = new(spec.Endpoint.Replace("tcp://", ">tcp://", StringComparison.Ordinal));
            Queue<long> sent = new();
            byte[] request = new byte[spec.SizeBytes];
            socket.ReceiveReady += (_, _) =>
            {
                Msg message = default;
                message.InitEmpty();
                while (socket.TryReceive(ref message, TimeSpan.Zero))
                {
                    tally.Wrong += message.Size == request.Length ? 0 : 1;
                    tally.Record(Stopwatch.GetTimestamp() - sent.Dequeue());
                    sent.Enqueue(Stopwatch.GetTimestamp());
                    socket.SendFrame(request);
                }

                message.Close();
            };
            _sockets.Add(socket);
            _poller.Add(socket);
            for (int k = 0; k < spec.InFlight; k++)
            {
                sent.Enqueue(Stopwatch.GetTimestamp());
                socket.SendFrame(request);
            }
        }

        _poller.RunAsync("netmq-load");
        return Task.CompletedTask;
    }

    public override Task StopAsync()
    {
        _poller.Stop();
        _poller.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
        return Task.CompletedTask;
    }
}
