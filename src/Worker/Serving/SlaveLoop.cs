using System.Runtime.ExceptionServices;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>
/// The loop of a .NET slave, over rings or a socket: it takes a batch of messages, runs handlers, shows their answers, and parks when there
/// is no work. When a handler waits in the middle of a synchronous call, another thread goes on with the loop.
/// </summary>
internal abstract class SlaveLoop : ISlaveLoop
{
    private readonly LoopSeat _seat;
    private long _heartbeatDueMs;
    private long _publishedMs;
    private WorkerExit? _exit;                  // set by the thread that ends the loop
    private ExceptionDispatchInfo? _failure;    // the same
    private bool _isBroken;                     // a handler's look found that the node is not to be trusted
    private volatile bool _isAbandoned;

    protected SlaveLoop() => _seat = new LoopSeat(Serve) { Look = Look };

    /// <summary>Time between heartbeats, ms.</summary>
    public int HeartbeatMs { get; init; } = EngineSettings.UsualHeartbeatMs;

    /// <inheritdoc/>
    public abstract bool HasFlow { get; }

    /// <summary>Says which thread is the loop.</summary>
    protected LoopSeat Seat => _seat;

    /// <summary>The channels and their handlers.</summary>
    protected abstract WorkerSession Session { get; }

    /// <summary>Gets the messages to the node.</summary>
    protected abstract MessageSink Sink { get; }

    /// <summary>The loop was given up.</summary>
    protected bool IsAbandoned => _isAbandoned;

    /// <summary>Bytes that were not shown to the node yet.</summary>
    protected abstract long UnpublishedBytes { get; }

    /// <summary>Nothing is left that the node has made no room for.</summary>
    protected abstract bool IsAllSent { get; }

    /// <inheritdoc/>
    public string Describe() => Session.Describe();

    /// <inheritdoc/>
    public void Abandon()
    {
        _isAbandoned = true;
        RingOwnBell();
    }

    /// <inheritdoc/>
    public WorkerExit Run()
    {
        Begin();
        Serve(); // its end is the loop's, on whatever thread that was
        _failure?.Throw();
        return _exit!.Value;
    }

    protected abstract void RingOwnBell();

    /// <summary>Prepares the first turn.</summary>
    protected virtual void Begin() => Publish(Environment.TickCount64); // the first heartbeat goes before the first job

    /// <summary>Takes the node's messages; false when the node has broken the protocol.</summary>
    /// <param name="runs">Handlers run between the messages. False within a handler.</param>
    /// <param name="any">There was something.</param>
    protected abstract bool TakeBatch(bool runs, out bool any);

    /// <summary>Shows the written messages to the node. False when the node is gone or not to be trusted.</summary>
    protected abstract bool Push(out WorkerExit exit);

    /// <summary>Waits for work. False when the node has gone.</summary>
    protected abstract bool Park(int timeoutMs);

    /// <summary>The loop has ended: touches nothing that it shares with the node any more.</summary>
    protected abstract void Close();

    /// <summary>Says the fault in the node's messages; true when there is none.</summary>
    protected static bool IsGood(string? problem)
    {
        if (problem is not null)
        {
            Console.Error.WriteLine($"the node sent what is no message: {problem}");
        }

        return problem is null;
    }

    /// <summary>Within a batch: shows the answers so far when they are many, or when the clock has advanced since the last time.</summary>
    protected void PublishWhenLate()
    {
        long now = Environment.TickCount64;
        if (now != _publishedMs || UnpublishedBytes > Limits.BatchBytes)
        {
            Publish(now);
        }
    }

    /// <summary>A handler looks for messages of the node: heartbeats go out, and no other handler runs.</summary>
    private void Look()
    {
        if (!_seat.IsFixed)
        {
            Publish(Environment.TickCount64);
            _isBroken |= !TakeBatch(runs: false, out _);
            Session.OnLooked();
        }
    }

    private bool Publish(long nowMs, out WorkerExit exit)
    {
        _publishedMs = nowMs;
        if (nowMs >= _heartbeatDueMs)
        {
            _heartbeatDueMs = nowMs + HeartbeatMs;
            MessageWriter.WriteHeartbeat(Sink);
        }

        return Push(out exit);
    }

    private void Publish(long nowMs) => _ = Publish(nowMs, out _); // the loop itself sees a fault in its next turn

    /// <summary>The loop on the calling thread, as far as that comes; returns once the loop has ended.</summary>
    private void Serve()
    {
        try
        {
            End(Turns(), null);
        }
        catch (LoopOverException)
        {
            // another thread has ended the loop
        }
        catch (Exception failure)
        {
            End(WorkerExit.Abandoned, failure);
        }
    }

    private void End(WorkerExit exit, Exception? failure)
    {
        Session.Close(); // before the rings and bells go, because other threads may still call
        Close();
        _exit = exit;
        _failure = failure is null ? null : ExceptionDispatchInfo.Capture(failure);
        _seat.End();
    }

    private WorkerExit Turns()
    {
        while (!_isAbandoned)
        {
            if (!TakeBatch(runs: true, out bool any) || _isBroken)
            {
                return WorkerExit.Fault;
            }

            any |= Session.DoPosted();
            Session.StartPending();
            long now = Environment.TickCount64;
            if (!Publish(now, out WorkerExit exit))
            {
                return exit;
            }

            if (Session.IsDone && IsAllSent)
            {
                return WorkerExit.Terminated;
            }

            if (!any && !Park((int)Math.Max(1, _heartbeatDueMs - now)))
            {
                return WorkerExit.Abandoned;
            }
        }

        return WorkerExit.Abandoned;
    }
}
