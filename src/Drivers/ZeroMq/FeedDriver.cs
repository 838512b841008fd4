using System.Numerics;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A publishing driver that gets its jobs from a ZeroMQ socket: PULL or SUB. When the engine has no room for a message, the driver keeps it
/// and takes no further one. So the peers' queues fill as ZeroMQ intends: a PUSH waits, a PUB drops.
/// </summary>
internal abstract class FeedDriver : Driver
{
    /// <summary>
    /// Time between two looks at a full queue when none of this driver's own jobs ends, because other tasks have filled the queue. It is
    /// short beside the wait in any useful queue, and a hundred looks a second cost nothing.
    /// </summary>
    private const int RetryMs = 10;

    private readonly Queue<MessageBatch> _batches = new();
    private readonly RetryTimer _retry;
    private readonly PumpTask _pump;
    private int _at;       // handled frames of the first batch's next message
    private long _malformed;
    private bool _stopped;

    protected FeedDriver(DriverContext context)
    {
        Context = context;
        Caller = new FeedCaller(this, context);
        _retry = new RetryTimer(this);
        _pump = new PumpTask(this);
        Socket = new ZeroMqSocket(
            ZeroMqPoller.Of(context.Scope), context.Loop, $"{context.Engine.Name}/{context.Task.Name}", context.Log, OnBatch,
            dropped: null);
    }

    public override TaskMonitor Monitor => Caller.Monitor;

    public override IReadOnlyList<string> Endpoints => Socket.Endpoints;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["received"] = Received,
        ["pending"] = Caller.Pending,
        ["held-back"] = _batches.Count > 0,
        ["dropped"] = Caller.Dropped,
        ["malformed"] = _malformed,
    };

    protected DriverContext Context { get; }

    protected PublishingCaller Caller { get; }

    protected ZeroMqSocket Socket { get; }

    /// <summary>Messages taken so far.</summary>
    protected long Received { get; private set; }

    protected int HighWaterMark => Context.Task.Backlog;

    /// <summary>The engine would take a job now.</summary>
    protected bool HasRoom
    {
        get
        {
            AppEngine engine = Context.Engine;
            int limit = engine.Settings.QueueLimit > 0 ? engine.Settings.QueueLimit : HighWaterMark;
            return engine.IsTaking && !engine.Pool.IsBroken && engine.Queue.Count < limit;
        }
    }

    public override void StopTaking()
    {
        Socket.Input.Stop();
        _stopped = true;
        Context.Loop.Timers.Cancel(_retry);
        int left = 0;
        while (_batches.TryDequeue(out MessageBatch? batch))
        {
            for (; batch.TryPeek(out _); batch.Skip())
            {
                left++;
            }

            Socket.Input.Return(batch);
        }

        if (left > 0)
        {
            ZeroMqLog.LeftOver(Context.Log, Context.Engine.Name, Context.Task.Name, left);
        }
    }

    public override void Close()
    {
        StopTaking();
        Socket.Close();
    }

    /// <summary>
    /// Makes jobs of a message from a frame on, as long as there is room. True when the message is done; otherwise <paramref name="at"/> is
    /// the next frame.
    /// </summary>
    protected abstract bool TryRun(FrameList message, ref int at);

    protected void OnMalformed(string problem)
    {
        if (BitOperations.IsPow2(++_malformed)) // a peer that sends garbage for ever does not fill the log
        {
            ZeroMqLog.Malformed(Context.Log, Context.Engine.Name, Context.Task.Name, problem, _malformed);
        }
    }

    private void OnBatch(MessageBatch batch)
    {
        _batches.Enqueue(batch);
        if (_stopped)
        {
            StopTaking();
        }
        else if (_batches.Count == 1)
        {
            Pump();
        }
    }

    private void Pump()
    {
        while (_batches.TryPeek(out MessageBatch? batch))
        {
            while (batch.TryPeek(out FrameList message))
            {
                if (message.Count > MessageBatch.MaxFramesPerMessage)
                {
                    OnMalformed($"a message of more than {MessageBatch.MaxFramesPerMessage} frames");
                }
                else if (!TryRun(message, ref _at))
                {
                    Context.Loop.Timers.Arm(_retry, Context.Loop.NowMs + RetryMs);
                    return;
                }

                _at = 0;
                Received++;
                batch.Skip();
            }

            _batches.Dequeue();
            Socket.Input.Return(batch);
        }
    }

    private void OnJobEnd()
    {
        if (_batches.Count > 0)
        {
            Context.Loop.ScheduleSend(_pump); // at the end of the turn: the slave takes the next job from the queue only after this
        }
    }

    private sealed class FeedCaller(FeedDriver driver, DriverContext context) : PublishingCaller(context)
    {
        public override void OnDone(Job job)
        {
            base.OnDone(job);
            driver.OnJobEnd();
        }

        public override void OnFailed(Job job, in JobError error)
        {
            base.OnFailed(job, in error);
            driver.OnJobEnd();
        }
    }

    private sealed class RetryTimer(FeedDriver driver) : WheelTimer
    {
        public override void OnDue(long nowMs) => driver.Pump();
    }

    private sealed class PumpTask(FeedDriver driver) : TurnTask
    {
        public override void OnTurnEnd() => driver.Pump();
    }
}
