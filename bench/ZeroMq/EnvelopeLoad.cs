using System.Diagnostics;
using Cocaine.Fast.Core.Monitoring;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Bench.ZeroMq;

/// <summary>DEALER sockets that keep requests ["", body] in flight and check every reply.</summary>
internal sealed class EnvelopeLoad : IDisposable
{
    private readonly NetMQPoller _poller = [];
    private readonly List<DealerSocket> _sockets = [];
    private readonly byte[] _body;
    private volatile bool _counts;
    private long _done;

    public EnvelopeLoad(string endpoint, int connections, int inFlight, int sizeBytes)
    {
        _body = new byte[sizeBytes];
        Array.Fill(_body, (byte)'x');
        for (int i = 0; i < connections; i++)
        {
            DealerSocket socket = new();
            socket.Connect(endpoint);
            Queue<long> sent = new();
            socket.ReceiveReady += (_, _) => Receive(socket, sent);
            _sockets.Add(socket);
            _poller.Add(socket);
            for (int k = 0; k < inFlight; k++)
            {
                Send(socket, sent);
            }
        }

        _poller.RunAsync("load");
    }

    public LatencyHistogram Latency { get; } = new();

    public long Done => Volatile.Read(ref _done);

    /// <summary>Replies that were not the request.</summary>
    public long Wrong { get; private set; }

    public bool Counts
    {
        get => _counts;
        set => _counts = value;
    }

    public void Dispose()
    {
        _poller.Stop();
        _poller.Dispose();
        _sockets.ForEach(socket => socket.Dispose());
    }

    private void Receive(DealerSocket socket, Queue<long> sent)
    {
        Msg frame = default;
        frame.InitEmpty();
        while (socket.TryReceive(ref frame, TimeSpan.Zero))
        {
            int frames = 1;
            bool right = frame.Size == 0;
            while (frame.HasMore)
            {
                socket.Receive(ref frame);
                frames++;
                right &= frame.Slice().SequenceEqual(_body);
            }

            Wrong += right && frames == 2 ? 0 : 1;
            long took = Stopwatch.GetTimestamp() - sent.Dequeue();
            if (_counts)
            {
                Latency.Record(took);
                Volatile.Write(ref _done, _done + 1);
            }

            Send(socket, sent);
        }

        frame.Close();
    }

    private void Send(DealerSocket socket, Queue<long> sent)
    {
        sent.Enqueue(Stopwatch.GetTimestamp());
        socket.SendMoreFrameEmpty().SendFrame(_body);
    }
}
