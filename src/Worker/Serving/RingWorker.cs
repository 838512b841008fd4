using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>A slave's loop over a pair of rings, for a thread of the node and for a worker process.</summary>
/// <remarks>
/// Safety: the segment must live until <see cref="SlaveLoop.Run"/> has returned. After that no shared memory is touched, even by a handler
/// that still writes from another thread.
/// </remarks>
internal sealed class RingWorker : SlaveLoop
{
    private const ulong BellData = 0, SocketData = 1;

    private readonly WorkerSession _session;
    private readonly BeginGate _gate;
    private readonly ByteRingReader _requests;
    private readonly ByteRingWriter _answers;
    private readonly EventDescriptor _ownBell;
    private readonly EventDescriptor _nodeBell;
    private readonly PieceAssembler _pieces = new(Limits.MessageBytes);
    private readonly Epoll _epoll = new(); // made with the other parts that can fail, before the slave is ready
    private readonly int _socket;
    private readonly long _spinNs;

    /// <param name="app">Has the handlers.</param>
    /// <param name="segment">The rings.</param>
    /// <param name="ownBell">Wakes this loop.</param>
    /// <param name="nodeBell">Wakes the node.</param>
    /// <param name="hasFlow">Both sides know flow control of one channel.</param>
    /// <param name="socket">The worker's socket, which shows that the node has gone; -1 in a thread.</param>
    public RingWorker(
        AppHost app, Segment segment, EventDescriptor ownBell, EventDescriptor nodeBell, bool hasFlow = true, int socket = -1)
    {
        _requests = new ByteRingReader(segment.Requests);
        _answers = new ByteRingWriter(segment.Responses);
        _ownBell = ownBell;
        _nodeBell = nodeBell;
        _socket = socket;
        _spinNs = segment.SpinMicroseconds * Clock.NsPerUs;
        _gate = new BeginGate(segment.Words);
        _session = new WorkerSession(app, ownBell, _answers, () => _answers.OverflowBytes, Seat, _gate)
        {
            HasFlow = hasFlow,
            BetweenHandlers = PublishWhenLate,
        };
    }

    /// <inheritdoc/>
    public override bool HasFlow => _session.HasFlow;

    protected override WorkerSession Session => _session;

    protected override MessageSink Sink => _answers;

    protected override long UnpublishedBytes => _answers.UnpublishedBytes;

    protected override bool IsAllSent => _answers.OverflowBytes == 0;

    protected override void RingOwnBell() => _ownBell.Ring();

    protected override void Begin()
    {
        _epoll.Watch(_ownBell.Descriptor, Epoll.In | Epoll.EdgeTriggered, BellData);
        if (_socket >= 0)
        {
            _epoll.Watch(_socket, Epoll.In | Epoll.PeerClosed, SocketData);
        }

        _gate.Open();
        base.Begin();
    }

    protected override void Close()
    {
        _pieces.Clear();
        _requests.Detach();
        _answers.Detach();
        _epoll.Dispose();
    }

    /// <summary>
    /// Takes every waiting record, as long as handlers read their requests and the node takes the answers. False when the ring is broken.
    /// </summary>
    protected override bool TakeBatch(bool runs, out bool any)
    {
        any = false;
        while (true)
        {
            ReadOnlySpan<byte> payload = default;
            RecordKind kind = default;
            switch (IsFull(runs) ? RingRead.Empty : _requests.TryRead(out payload, out kind))
            {
                case RingRead.Empty:
                    _session.Keep();
                    if (_requests.Release())
                    {
                        _nodeBell.Ring();
                    }

                    return true;
                case RingRead.Fault:
                    Console.Error.WriteLine($"the request ring is broken: {_requests.Fault}");
                    return false;
            }

            any = true;
            if (!TakeRecord(payload, kind))
            {
                return false;
            }

            if (runs)
            {
                _session.StartPending();
                PublishWhenLate();
            }
        }
    }

    protected override bool Push(out WorkerExit exit)
    {
        exit = WorkerExit.Fault;
        _answers.DrainOverflow();
        if (_answers.Publish())
        {
            _nodeBell.Ring();
        }

        if (_answers.Fault is { } fault)
        {
            Console.Error.WriteLine($"the response ring is broken: {fault}");
            return false;
        }

        return true;
    }

    protected override bool Park(int timeoutMs) => Spin() || Sleep(timeoutMs);

    /// <summary>
    /// Handlers have enough to read, or the ring of answers is full: more requests would only wait in this worker's memory, and they wait
    /// as well where they are. The node always takes the answers of a worker with flow control. So there is room soon, and a cancel or a
    /// hold behind the requests is read soon. A handler that looks for such a message in the middle of its answer reads on.
    /// </summary>
    private bool IsFull(bool runs = true) => !_session.AwaitsRecall
        && (_session.IsFull() || (runs && HasFlow && _answers.OverflowBytes > Limits.BatchBytes));

    private bool TakeRecord(ReadOnlySpan<byte> payload, RecordKind kind)
    {
        if (kind == RecordKind.Last && !_pieces.UnderWay)
        {
            return IsGood(_session.TakeAll(payload, lends: true));
        }

        if (!_pieces.TryAdd(payload))
        {
            return IsGood("a message in pieces grew over the limit");
        }

        if (kind == RecordKind.More)
        {
            return true;
        }

        string? problem = _session.TakeAll(_pieces.Bytes);
        _pieces.Clear();
        return IsGood(problem);
    }

    /// <summary>Looks for work for a short while. True when there is some.</summary>
    private bool Spin()
    {
        if (_spinNs == 0)
        {
            return false;
        }

        long until = Clock.NowNs + _spinNs;
        do
        {
            if ((_requests.HasRecords && !IsFull()) || _session.Inbox.HasCalls)
            {
                return true;
            }

            Thread.SpinWait(20);
        }
        while (Clock.NowNs < until);

        return false;
    }

    /// <summary>Waits for the bell. False when the node has gone.</summary>
    private bool Sleep(int timeoutMs)
    {
        // While too many bytes wait here, the node's records are no reason to wake up: the node is not told that this side parks.
        if (!IsFull() && !_requests.TryPark())
        {
            return true;
        }

        // After the park mark: a call that was posted before it is seen here, a later one rings.
        if (_session.Inbox.HasCalls || _session.HasWaiterWithRoom || _session.HasHeldBackWithRoom || IsAbandoned
            || (_answers.OverflowBytes > 0 && !_answers.TryWaitForRoom()) || _answers.Fault is not null)
        {
            _requests.Unpark();
            return true;
        }

        int events = _epoll.Wait(timeoutMs);
        _requests.Unpark();
        for (int i = 0; i < events; i++)
        {
            _ = _epoll.Event(i, out ulong data);
            if (data == SocketData)
            {
                return false; // beside the pipe the socket says only that the node has gone
            }
        }

        return true;
    }
}
