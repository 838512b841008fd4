using System.Collections.Concurrent;
using Cocaine.Fast.Transport.Loop;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>
/// The messages of a socket on their way to its loop, in batches. The socket is read while there is a free batch: a batch that the loop
/// keeps holds the peers back.
/// </summary>
internal sealed class ZeroMqInput
{
    /// <summary>
    /// Batches on their way at the same time: one is filled while others are read, and a batch that the loop keeps does not stop the
    /// others.
    /// </summary>
    private const int Batches = 4;

    private readonly ZeroMqPoller _poller;
    private readonly EventLoop _loop;
    private readonly Action<MessageBatch>? _received;
    private readonly ConcurrentQueue<MessageBatch> _free = new();
    private readonly ResumeWork _resume;
    private NetMQSocket? _socket;    // only the poller uses it; valid from Open to Close
    private bool _attached;          // only the poller uses it: the poller wakes when the socket can be read
    private bool _stopped;           // only the poller uses it: the poller reads no more
    private int _reading;            // one of the states below

    // The state of reading. Reading: the poller takes batches. Paused (by the poller): there was no free batch. Resuming (by the loop,
    // which has given one back): the poller was asked to continue and has not done so yet.
    private const int Reading = 0, Paused = 1, Resuming = 2;

    /// <param name="received">
    /// Gets each batch on the loop, and gives it back with <see cref="Return"/>; null for a socket that is not read.
    /// </param>
    public ZeroMqInput(ZeroMqPoller poller, EventLoop loop, Action<MessageBatch>? received)
    {
        _poller = poller;
        _loop = loop;
        _received = received;
        _resume = new ResumeWork(this);
        for (int i = 0; i < Batches && received is not null; i++)
        {
            _free.Enqueue(new MessageBatch(received));
        }
    }

    /// <summary>Starts to read; on the poller's thread.</summary>
    public void Open(NetMQSocket socket)
    {
        _socket = socket;
        Attach();
    }

    /// <summary>Stops reading; on the poller's thread.</summary>
    public void Close()
    {
        _stopped = true;
        Detach();
        _socket = null;
    }

    /// <summary>Gives a batch back for another filling; on the loop.</summary>
    public void Return(MessageBatch batch)
    {
        batch.Clear();
        _free.Enqueue(batch);

        // The enqueue comes before this exchange, which is a full fence; other half: in TakeFree, the exchange before the second look at
        // the queue.
        if (Interlocked.CompareExchange(ref _reading, Resuming, Paused) == Paused)
        {
            _poller.Post(_resume);
        }
    }

    /// <summary>Stops reading; on the loop. Messages that were read already still come.</summary>
    public void Stop() => _poller.Post(new ActionWork(() =>
    {
        _stopped = true;
        Detach();
    }));

    private void OnReceiveReady(object? sender, NetMQSocketEventArgs args)
    {
        try
        {
            Receive();
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            _poller.Report(fault);
        }
    }

    private void Receive()
    {
        if (TakeFree() is not { } batch)
        {
            Detach();
            return;
        }

        batch.Fill(_socket!);
        if (batch.IsEmpty)
        {
            _free.Enqueue(batch);
        }
        else
        {
            _loop.Post(batch);
        }
    }

    private MessageBatch? TakeFree()
    {
        if (_free.TryDequeue(out MessageBatch? batch))
        {
            return batch;
        }

        // A full fence between the word and the second look; other half: in Return, the exchange after the enqueue. At least one of the two
        // sides sees the other: either this method finds the batch, or the loop finds Paused and asks the poller to continue.
        Interlocked.CompareExchange(ref _reading, Paused, Reading);
        if (!_free.TryDequeue(out batch))
        {
            return null;
        }

        Interlocked.CompareExchange(ref _reading, Reading, Paused); // when the state is Resuming by now, Resume does it
        return batch;
    }

    private void Resume()
    {
        Volatile.Write(ref _reading, Reading); // the exchange in Return reads it; Receive looks at the batches after this
        Attach();
    }

    private void Attach()
    {
        if (!_attached && !_stopped && _received is not null && _socket is { } socket)
        {
            _attached = true;
            socket.ReceiveReady += OnReceiveReady;
        }
    }

    private void Detach()
    {
        if (_attached && _socket is { } socket)
        {
            _attached = false;
            socket.ReceiveReady -= OnReceiveReady;
        }
    }

    private sealed class ResumeWork(ZeroMqInput input) : LoopWork
    {
        public override void Run() => input.Resume();
    }
}
