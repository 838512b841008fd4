using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.SharedMemory;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// A slave's loop over a pair of rings, for a thread of the node and for a worker process. The loop takes a batch, runs its handlers,
/// publishes their answers once, and parks when there is no work.
/// </summary>
/// <remarks>
/// Safety: the segment must live until <see cref="Run"/> has returned. After that no shared memory is touched, even by a handler that still
/// writes from another thread.
/// </remarks>
internal sealed class RingWorker : ISlaveLoop
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
    private long _heartbeatDueMs;
    private long _publishedMs;
    private volatile bool _abandoned;

    /// <param name="socket">The worker's socket, which shows that the node has gone; -1 in a thread.</param>
    public RingWorker(AppHost app, Segment segment, EventDescriptor ownBell, EventDescriptor nodeBell, int socket = -1)
    {
        _requests = new ByteRingReader(segment.Requests);
        _answers = new ByteRingWriter(segment.Responses);
        _ownBell = ownBell;
        _nodeBell = nodeBell;
        _socket = socket;
        _spinNs = segment.SpinMicroseconds * Clock.NsPerUs;
        _gate = new BeginGate(segment.Words);
        _session = new WorkerSession(app, ownBell, _answers, () => _answers.OverflowBytes, _gate) { BetweenHandlers = PublishWhenLate };
    }

    /// <summary>Time between heartbeats, ms.</summary>
    public int HeartbeatMs { get; init; } = EngineSettings.UsualHeartbeatMs;

    /// <summary>Makes <see cref="Run"/> return soon, from any thread.</summary>
    public void Abandon()
    {
        _abandoned = true;
        _ownBell.Ring();
    }

    /// <inheritdoc/>
    public bool HasFlow => false;

    public string Describe() => _session.Describe();

    /// <summary>Serves until the end.</summary>
    public WorkerExit Run()
    {
        using Epoll epoll = _epoll;
        try
        {
            epoll.Watch(_ownBell.Descriptor, Epoll.In | Epoll.EdgeTriggered, BellData);
            if (_socket >= 0)
            {
                epoll.Watch(_socket, Epoll.In | Epoll.PeerClosed, SocketData);
            }

            return Serve(epoll);
        }
        finally
        {
            _session.Close(); // before the rings and bells go, because other threads may still call
            _pieces.Clear();
            _requests.Detach();
            _answers.Detach();
        }
    }

    private WorkerExit Serve(Epoll epoll)
    {
        _gate.Open();
        Publish(Environment.TickCount64); // the first heartbeat goes before the first job: it shows the node whether a job has run
        while (!_abandoned)
        {
            if (!TakeBatch(out bool any))
            {
                return WorkerExit.Fault;
            }

            any |= _session.DoPosted();
            _session.StartPending();
            long now = Environment.TickCount64;
            Publish(now);
            if (_answers.Fault is { } fault)
            {
                Console.Error.WriteLine($"the response ring is broken: {fault}");
                return WorkerExit.Fault;
            }

            if (_session.IsDone && _answers.OverflowBytes == 0)
            {
                return WorkerExit.Terminated;
            }

            if (!any && !Spin() && !Park(epoll, (int)Math.Max(1, _heartbeatDueMs - now)))
            {
                return WorkerExit.Abandoned;
            }
        }

        return WorkerExit.Abandoned;
    }

    /// <summary>Takes every waiting record, as long as handlers read their requests. False when the ring is broken.</summary>
    private bool TakeBatch(out bool any)
    {
        any = false;
        while (true)
        {
            ReadOnlySpan<byte> payload = default;
            RecordKind kind = default;
            switch (_session.IsFull() && !_session.AwaitsRecall ? RingRead.Empty : _requests.TryRead(out payload, out kind))
            {
                case RingRead.Empty:
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

            _session.StartPending();
            PublishWhenLate();
        }
    }

    private bool TakeRecord(ReadOnlySpan<byte> payload, RecordKind kind)
    {
        if (kind == RecordKind.Last && !_pieces.UnderWay)
        {
            return IsGood(_session.TakeAll(payload));
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

    private static bool IsGood(string? problem)
    {
        if (problem is not null)
        {
            Console.Error.WriteLine($"the node sent what is no message: {problem}");
        }

        return problem is null;
    }

    /// <summary>Within a batch: shows the answers so far when they are many, or when the clock has advanced since the last time.</summary>
    private void PublishWhenLate()
    {
        long now = Environment.TickCount64;
        if (now != _publishedMs || _answers.UnpublishedBytes > Limits.BatchBytes)
        {
            Publish(now);
        }
    }

    private void Publish(long nowMs)
    {
        _publishedMs = nowMs;
        if (nowMs >= _heartbeatDueMs)
        {
            _heartbeatDueMs = nowMs + HeartbeatMs;
            MessageWriter.WriteHeartbeat(_answers);
        }

        _answers.DrainOverflow();
        if (_answers.Publish())
        {
            _nodeBell.Ring();
        }
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
            if ((_requests.HasRecords && (!_session.IsFull() || _session.AwaitsRecall)) || _session.Inbox.HasCalls)
            {
                return true;
            }

            Thread.SpinWait(20);
        }
        while (Clock.NowNs < until);

        return false;
    }

    /// <summary>Waits for the bell. False when the node has gone.</summary>
    private bool Park(Epoll epoll, int timeoutMs)
    {
        // While too many bytes are unread, the node's records are no reason to wake up: the node is not told that this side parks.
        if ((!_session.IsFull() || _session.AwaitsRecall) && !_requests.TryPark())
        {
            return true;
        }

        // After the park mark: a call that was posted before it is seen here, a later one rings.
        if (_session.Inbox.HasCalls || _session.HasWaiterWithRoom || _session.HasHeldBackWithRoom || _abandoned
            || (_answers.OverflowBytes > 0 && !_answers.TryWaitForRoom()) || _answers.Fault is not null)
        {
            _requests.Unpark();
            return true;
        }

        int events = epoll.Wait(timeoutMs);
        _requests.Unpark();
        for (int i = 0; i < events; i++)
        {
            _ = epoll.Event(i, out ulong data);
            if (data == SocketData)
            {
                return false; // beside the pipe the socket says only that the node has gone
            }
        }

        return true;
    }
}
