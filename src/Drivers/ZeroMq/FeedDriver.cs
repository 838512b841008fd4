using System.Numerics;
using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// A publishing driver that gets its jobs from a ZeroMQ socket: PULL or SUB. When the engine has no room for a message, its peer is
/// read no further. So the peers' queues fill as ZeroMQ intends: a PUSH waits, a PUB drops.
/// </summary>
internal abstract class FeedDriver : Driver
{
    /// <summary>
    /// Time between two looks at a full queue when none of this driver's own jobs ends, because other tasks have filled the queue. It is
    /// short beside the wait in any useful queue, and a hundred looks a second cost nothing.
    /// </summary>
    private const int RetryMs = 10;

    /// <summary>So few are not worth a look at which of them went away.</summary>
    private const int FewHeld = 64;

    private readonly Queue<ZeroMqConnection> _held = new(); // each with a message that waits for room
    private readonly TaskGuard _guard;
    private readonly byte[][] _methods; // the catalog of the driver's one event
    private readonly RetryTimer _retry;
    private readonly PumpTask _pump;
    private int _leftOver;
    private bool _stopped;

    /// <param name="context">The parts that the driver is made of.</param>
    /// <param name="kind">The type of the socket.</param>
    protected FeedDriver(DriverContext context, SocketKind kind)
    {
        Context = context;
        _guard = new TaskGuard(context);
        _methods = [Encoding.UTF8.GetBytes(context.Task.Name)];
        Caller = new FeedCaller(this, context);
        _retry = new RetryTimer(this);
        _pump = new PumpTask(this);
        Socket = new ZeroMqSocket(
            context.Loop, kind, $"{context.Engine.Name}/{context.Task.Name}", context.Log,
            context.Scope.Get(static () => new ClosingSockets()), OnMessage, dropped: null);
    }

    public override TaskMonitor Monitor => Caller.Monitor;

    public override IReadOnlyList<string> Endpoints => Socket.Endpoints;

    public override IReadOnlyDictionary<string, object> Facts => new Dictionary<string, object>
    {
        ["received"] = Received,
        ["pending"] = Caller.Pending,
        ["held-back"] = _held.Count > 0,
        ["dropped"] = Caller.Dropped,
        ["malformed"] = Monitor.Counts.Malformed,
        ["refused-peers"] = Socket.Refused,
    };

    protected DriverContext Context { get; }

    /// <summary>Makes the jobs, and publishes their answers.</summary>
    public PublishingCaller Caller { get; }

    protected ZeroMqSocket Socket { get; }

    /// <summary>The peer whose message is handled. Valid during <see cref="TryRun"/>.</summary>
    protected ZeroMqConnection Sender { get; private set; } = null!;

    /// <summary>Messages taken so far.</summary>
    protected long Received { get; private set; }

    protected int HighWaterMark => Context.Task.Backlog;

    /// <summary>The task connects to its peers; otherwise they connect to it.</summary>
    protected bool Connects => Context.Task.Driver?.Connects(Context.Task.Keys) == true;

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

    /// <summary>
    /// Closes the socket, so that the peers give their messages to others, or keep them. Received messages without room are lost, and the
    /// log has their number.
    /// </summary>
    public override void StopTaking()
    {
        if (_stopped)
        {
            return;
        }

        _stopped = true;
        Context.Loop.Timers.Cancel(_retry);
        while (_held.TryDequeue(out ZeroMqConnection? peer))
        {
            peer.ResumeNow();
        }

        Socket.Close();
        if (_leftOver > 0)
        {
            ZeroMqLog.LeftOver(Context.Log, Context.Engine.Name, Context.Task.Name, _leftOver);
        }
    }

    public override void Close() => StopTaking();

    /// <summary>
    /// Makes jobs of a message from a frame on, as long as there is room. True when the message is done; otherwise <paramref name="at"/> is
    /// the next frame.
    /// </summary>
    protected abstract bool TryRun(FrameList message, ref int at);

    /// <summary>The frames of the message say themselves who sends them.</summary>
    protected virtual bool ProvesItsCallers(FrameList message) => false;

    /// <summary>The sender of a sealed job may call the task's event, now.</summary>
    public bool AdmitsSealed(ZeroMqConnection peer, string keyName) =>
        (peer.Gate ??= new CallGate(peer, _guard)).AdmitsSealed(_guard, 0, _methods[0], _methods, keyName, out _);

    /// <summary>The peer itself may call the task's event, now.</summary>
    protected bool Admits(ZeroMqConnection peer) =>
        (peer.Gate ??= new CallGate(peer, _guard)).Admits(_guard, 0, _methods[0], _methods, null, out _);

    /// <summary>A seal was refused: the audit hears of it.</summary>
    public void DenySeal(ZeroMqConnection peer, SealFault fault) =>
        (peer.Gate ??= new CallGate(peer, _guard)).DenySeal(SealFaults.CauseOf(fault));

    protected void OnMalformed(string problem)
    {
        if (BitOperations.IsPow2(++Monitor.Counts.Malformed)) // a peer that sends garbage for ever does not fill the log
        {
            ZeroMqLog.Malformed(Context.Log, Context.Engine.Name, Context.Task.Name, problem, Monitor.Counts.Malformed);
        }
    }

    private bool OnMessage(ZeroMqConnection peer, FrameList message)
    {
        if (_stopped)
        {
            _leftOver++;
            return true;
        }

        if (message.Count > WireLimits.MaxFrames)
        {
            OnMalformed($"a message of more than {WireLimits.MaxFrames} frames");
        }
        else if (ProvesItsCallers(message) || MayFeed(peer))
        {
            Sender = peer;
            int at = peer.Handled;
            if (!TryRun(message, ref at))
            {
                peer.Handled = at;
                Hold(peer);
                if (!_retry.IsArmed)
                {
                    Context.Loop.Timers.Arm(_retry, Context.Loop.NowMs + RetryMs);
                }

                return false;
            }
        }

        peer.Handled = 0;
        Received++;
        return true;
    }

    /// <summary>
    /// The peer may bring jobs. The messages of another peer are dropped, because this kind of socket has no answers. A server that the
    /// task has connected to itself was chosen by the manifest.
    /// </summary>
    private bool MayFeed(ZeroMqConnection peer) => Connects || peer.Handled > 0 || Admits(peer);

    /// <summary>The peer waits for room. Peers that went away meanwhile are forgotten, when they are more than those that wait.</summary>
    private void Hold(ZeroMqConnection peer)
    {
        _held.Enqueue(peer);
        if (_held.Count > FewHeld && _held.Count > 2 * Socket.Connections.Count)
        {
            for (int count = _held.Count; count > 0; count--)
            {
                ZeroMqConnection one = _held.Dequeue();
                if (one.IsOpen)
                {
                    _held.Enqueue(one);
                }
            }
        }
    }

    /// <summary>Lets the peers go on that have waited the longest, as long as there is room.</summary>
    private void Pump()
    {
        while (HasRoom && _held.TryDequeue(out ZeroMqConnection? peer))
        {
            peer.ResumeNow();
        }

        if (_held.Count > 0 && !_retry.IsArmed)
        {
            Context.Loop.Timers.Arm(_retry, Context.Loop.NowMs + RetryMs);
        }
    }

    private void OnJobEnd()
    {
        if (_held.Count > 0)
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
