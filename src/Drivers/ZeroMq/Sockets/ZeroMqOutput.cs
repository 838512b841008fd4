using System.Collections.Concurrent;
using System.Numerics;
using Cocaine.Fast.Transport.Loop;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The messages of a loop on their way to a socket: the poller's thread sends the messages of a turn as one batch.</summary>
internal sealed class ZeroMqOutput
{
    /// <summary>
    /// The most bytes that the loop has written and the poller has not sent. The poller never waits, so the bytes get near this bound only
    /// when the poller's thread cannot run at all.
    /// </summary>
    private const long MaxUnsentBytes = 64 << 20;

    /// <summary>Bytes after which a batch is sent before the turn ends.</summary>
    private const int FullBytes = 1 << 20;

    /// <summary>Sent batches that are kept for another filling; only a burst makes more.</summary>
    private const int MaxKept = 4;

    private readonly ZeroMqPoller _poller;
    private readonly EventLoop _loop;
    private readonly Action<long>? _dropped;
    private readonly ConcurrentQueue<OutgoingMessages> _sent = new();
    private readonly SendTask _sendTask;
    private NetMQSocket? _socket;           // only the poller uses it; valid from Open to Close
    private OutgoingMessages? _filling;     // only the loop uses it
    private long _unsentBytes;
    private long _droppedMessages;

    /// <param name="dropped">
    /// Called on the poller's thread with the number of messages that were dropped so far, whenever it is a power of two.
    /// </param>
    public ZeroMqOutput(ZeroMqPoller poller, EventLoop loop, Action<long>? dropped)
    {
        _poller = poller;
        _loop = loop;
        _dropped = dropped;
        _sendTask = new SendTask(this);
    }

    /// <summary>Messages that were not sent: the peer is gone, or its high-water mark was reached.</summary>
    public long Dropped => Volatile.Read(ref _droppedMessages);

    /// <summary>Starts to send; on the poller's thread.</summary>
    public void Open(NetMQSocket socket) => _socket = socket;

    /// <summary>Stops sending; on the poller's thread.</summary>
    public void Close() => _socket = null;

    /// <summary>
    /// Begins a message: the frames of its route and an empty one. False when the poller is too far behind: the message is dropped, and the
    /// route records it.
    /// </summary>
    public bool TryBegin(Route? route)
    {
        if (Volatile.Read(ref _unsentBytes) > MaxUnsentBytes)
        {
            route?.NoteDropped();
            CountDropped(1);
            return false;
        }

        if (_filling is { Bytes: > FullBytes })
        {
            Post(); // the poller may begin while this turn goes on
        }

        if (_filling is null)
        {
            _filling = _sent.TryDequeue(out OutgoingMessages? used) ? used : new OutgoingMessages(this);
            _loop.ScheduleSend(_sendTask);
        }

        if (route is null)
        {
            return true;
        }

        for (int i = 0; i < route.Hops.Length; i++)
        {
            AddShared(route.Hops[i], more: true, i == 0 ? route : null);
        }

        AddShared([], more: true);
        return true;
    }

    /// <summary>Adds a copy of some bytes as a frame.</summary>
    public void Add(ReadOnlySpan<byte> bytes, bool more) => AddShared(bytes.ToArray(), more);

    /// <summary>Adds a frame with bytes that nobody changes any more.</summary>
    public void AddShared(byte[] bytes, bool more, Route? route = null)
    {
        Msg frame = default;
        frame.InitGC(bytes, bytes.Length);
        _filling!.Add(ref frame, more, route);
    }

    /// <summary>Gives the written messages to the poller's thread; on the loop.</summary>
    public void Post()
    {
        if (_filling is { } batch)
        {
            _filling = null;
            Interlocked.Add(ref _unsentBytes, batch.CostBytes); // the other half is the subtraction in SendAll
            _poller.Post(batch);
        }
    }

    /// <summary>Sends a batch; on the poller's thread.</summary>
    internal void SendAll(OutgoingMessages batch)
    {
        Interlocked.Add(ref _unsentBytes, -batch.CostBytes);
        if (_socket is { } socket)
        {
            long dropped = batch.Send(socket);
            if (dropped > 0)
            {
                CountDropped(dropped);
            }
        }

        batch.Clear();
        if (_sent.Count < MaxKept)
        {
            _sent.Enqueue(batch);
        }
    }

    private void CountDropped(long count)
    {
        long total = Interlocked.Add(ref _droppedMessages, count); // only a counter: no other data depends on it
        if (BitOperations.Log2((ulong)total) != BitOperations.Log2((ulong)(total - count)) || total == count)
        {
            _dropped?.Invoke(total);
        }
    }

    private sealed class SendTask(ZeroMqOutput output) : TurnTask
    {
        public override void OnTurnEnd() => output.Post();
    }
}
