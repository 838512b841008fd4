using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Decides when and by how much a pool grows. A pool grows for waiting jobs and up to its minimum, within its limit, with a bound on slaves
/// that start at the same time, and as far as the backend has room. After a failure the pool tries again by itself, for as long as the app
/// lives, because there may be no other call that would make it try.
/// </summary>
internal sealed class PoolGrowth
{
    private readonly EngineScope _scope;
    private readonly SlaveRoster _roster;
    private readonly ISlaveBackend _backend;
    private readonly PauseTimer _pause;
    private readonly LookTimer _look;
    private int _warm;             // slaves that the app's start asked for, until so many were launched; then 0
    private long _startMs;         // how long recent starts took; 0 before the first good start
    private bool _limitLogged;     // the log says that the pool is at its limit, and the pool still is
    private long _roomLogDueMs;    // the time before which no line about room is logged

    /// <param name="scope">The parts of the engine that pools use.</param>
    /// <param name="roster">The slaves.</param>
    /// <param name="backend">Says for how many slaves there is room.</param>
    public PoolGrowth(EngineScope scope, SlaveRoster roster, ISlaveBackend backend)
    {
        _scope = scope;
        _roster = roster;
        _backend = backend;
        Outlook = new QueueOutlook(scope, roster, backend.Cores);
        _pause = new PauseTimer(this);
        _look = new LookTimer(this);
    }

    /// <summary>Counts failed starts. The pool sets it once.</summary>
    public StartHealth Starts { get; set; } = null!;

    /// <summary>Knows jobs that stand in slaves. The pool sets it once.</summary>
    public HeldUpSlaves HeldUp { get; set; } = null!;

    /// <summary>Tells how soon the waiting jobs will have ended.</summary>
    public QueueOutlook Outlook { get; }

    /// <summary>Why the backend had no room when the pool last asked for slaves; empty when it had room.</summary>
    public string NoRoomReason { get; private set; } = "";

    /// <summary>Time until the pool tries again after a failed start or a lack of room, ms; 0 when the pool does not wait.</summary>
    public long NextTryMs => _pause.IsArmed ? Math.Max(1, _pause.DueMs - _scope.Loop.NowMs) : 0;

    /// <summary>
    /// The pool expects that the waiting jobs end before another slave would be ready. If they do not, the pool launches the slave.
    /// </summary>
    public bool IsLooking => _look.IsArmed;

    /// <summary>
    /// Launches the first slaves. An app launches at least one, so that a broken app is noticed before its first job; on several loops one
    /// of its pools does.
    /// </summary>
    public void Start(int slaves)
    {
        _warm = Math.Clamp(slaves, _roster.Minimum, _roster.Limit);
        if (_warm > 0)
        {
            Launch(Math.Min(_warm, _backend.StartsAtOnce), PoolDecision.GrowForStart, "the app starts");
        }
    }

    /// <summary>
    /// Launches slaves when jobs wait and too few slaves are idle or starting, or when there are fewer slaves than the minimum.
    /// </summary>
    public void Grow()
    {
        Starts.LookForProof();
        if (_scope.State == EngineState.Stopped || _pause.IsArmed)
        {
            return;
        }

        int waiting = _scope.Queue.Count + HeldUp.Jobs, starting = _roster.Starting, standing = _roster.Standing;
        int forJobs = _scope.Queue.SlavesFor(_scope.Concurrency) + (HeldUp.AreWorthASlave ? 1 : 0) - _roster.Idle - starting;
        int forMinimum = _scope.State == EngineState.Running ? Math.Max(0, Math.Max(_roster.Minimum, _warm) - standing) : 0;
        int wanted = forJobs > forMinimum && !WaitsTooLong(waiting) ? forMinimum : Math.Max(forJobs, forMinimum);
        if (wanted <= 0)
        {
            return;
        }

        int places = _roster.FreePlaces;
        if (places <= 0)
        {
            LogLimit(waiting);
            return;
        }

        // When these starts are used up, each starting slave calls again, whether it becomes ready or fails; so does a slave that was on
        // trial.
        int starts = Starts.Failures > 0 ? 1 - Math.Max(starting, Starts.OnTrial) : _backend.StartsAtOnce - starting;
        starts = Math.Min(starts, places);
        int count = Math.Min(wanted, starts);
        if (count > forMinimum && starting + count > 1 && ClearsBeforeAStart(waiting))
        {
            count = Math.Min(starts, starting == 0 ? Math.Max(1, forMinimum) : forMinimum); // a waiting job starts one slave at once
        }

        _limitLogged = false;
        if (count > 0)
        {
            Launch(
                count, forJobs > forMinimum ? PoolDecision.GrowForJobs : PoolDecision.GrowForMinimum,
                "jobs wait or slaves are below the minimum");
        }
    }

    /// <summary>A slave has come up.</summary>
    public void OnReady(Slave slave)
    {
        long tookMs = _scope.Loop.NowMs - slave.StartedMs;
        _scope.Counters.Reasons.Starts.Record(tookMs * Clock.NsPerMs);
        _startMs = _startMs == 0 ? tookMs : ((3 * _startMs) + tookMs) / 4; // an average of the last few starts
    }

    /// <summary>The bounds of the pool have changed.</summary>
    public void OnBounds()
    {
        _warm = Math.Min(_warm, _roster.Limit);
        _limitLogged = false;
        Grow();
    }

    /// <summary>Launches a slave over the pool-limit, to take the place of a worn slave; null when there is no room for it.</summary>
    public Slave? TryLaunchReplacement() => RoomFor(1) == 0 ? null : _roster.LaunchOne();

    /// <summary>Launches no slave for so long. A pause that runs already is made longer only with <paramref name="anew"/>.</summary>
    public void Pause(long ms, bool anew)
    {
        if (_scope.State != EngineState.Stopped && (anew || !_pause.IsArmed))
        {
            _scope.Loop.Timers.Arm(_pause, _scope.Loop.NowMs + ms);
        }
    }

    /// <summary>The pool has no more reason to wait.</summary>
    public void EndPause() => _scope.Loop.Timers.Cancel(_pause);

    public void CancelTimers()
    {
        _scope.Loop.Timers.Cancel(_pause);
        _scope.Loop.Timers.Cancel(_look);
    }

    private void OnPauseOver()
    {
        if (_scope.State != EngineState.Running || _roster.Working + _roster.Starting > 0)
        {
            Grow();
        }
        else if (_scope.Siblings is { IsHome: false } && _roster.LastGeneration == 0)
        {
            Grow(); // the pool has needed no slave yet: the others try for it
        }
        else if (_roster.FreePlaces > 0)
        {
            // This slave starts although no job waits: a broken app refuses new jobs, so no job would ever make the pool try again.
            Launch(1, PoolDecision.GrowAgain, Starts.Failures > 0 ? "the last start failed" : "the app has no slave");
        }
        else
        {
            Pause(EngineLimits.RoomPauseMs, anew: true);
        }
    }

    /// <summary>
    /// Jobs wait for longer than is worth another slave, or will, or nothing is known of how long they take. Looks again when they do not.
    /// </summary>
    private bool WaitsTooLong(int waiting)
    {
        long boundNs = _scope.Settings.GrowWaitMs * Clock.NsPerMs;
        JobQueue queue = _scope.Queue;
        if (boundNs == 0 || queue.Suspects.Count > 0 || _roster.Working == 0 || HeldUp.AreWorthASlave)
        {
            return true;
        }

        if (IsWaitLong(waiting) && !Outlook.IsBoundByCores())
        {
            return true;
        }

        if (!_look.IsArmed)
        {
            _scope.Loop.Timers.Arm(_look, _scope.Loop.NowMs + _scope.Settings.GrowWaitMs);
        }

        return false;
    }

    /// <summary>
    /// Jobs have waited for as long as is worth another slave, or will wait for so long, or nothing is known of how long they take.
    /// </summary>
    public bool IsWaitLong(int waiting)
    {
        long boundNs = _scope.Settings.GrowWaitMs * Clock.NsPerMs;
        return Outlook.WaitNs(waiting) >= boundNs
            || (_scope.Queue.Oldest is { } oldest && _scope.Loop.NowNs - oldest.WaitsSinceNs >= boundNs);
    }

    /// <summary>Launches slaves for jobs that wait on another loop of the app, as many as there are places for.</summary>
    public void GrowForOthers(int jobs)
    {
        if (_scope.State != EngineState.Running || _pause.IsArmed || Starts.Failures > 0)
        {
            return;
        }

        int wanted = ((jobs + _scope.Concurrency - 1) / _scope.Concurrency) - _roster.Idle - _roster.Starting;
        int count = Math.Min(Math.Min(wanted, _roster.FreePlaces), _backend.StartsAtOnce - _roster.Starting);
        if (count > 0)
        {
            Launch(count, PoolDecision.GrowForOthers, "jobs wait on another loop of the app");
        }
    }

    /// <summary>
    /// The waiting jobs will have ended before a slave that is launched now is ready. The pool looks again, in case they have not.
    /// </summary>
    private bool ClearsBeforeAStart(int waiting)
    {
        long clearsInMs = Outlook.ClearsInMs(waiting);
        if (clearsInMs >= _startMs)
        {
            return false;
        }

        if (!_look.IsArmed)
        {
            _scope.Loop.Timers.Arm(
                _look, _scope.Loop.NowMs + Math.Clamp(clearsInMs, EngineLimits.MinLookMs, EngineLimits.OutlookWindowMs / 2));
        }

        return true;
    }

    /// <summary>Launches as many of these slaves as there is room for, and tries again later when there is not room for all.</summary>
    private void Launch(int count, PoolDecision decision, string why)
    {
        if (Starts.Failures > 0 && _scope.Siblings is { } siblings && !siblings.TryTakeTurn())
        {
            return; // the pool hears when the turn is free
        }

        int room = RoomFor(count);
        if (room > 0)
        {
            _scope.Counters.Reasons.Count(decision);
            PoolLog.Grows(_scope.Log, _scope.Name, room, _scope.Queue.Count, _roster.Idle, _roster.Starting, why);
        }

        for (int i = 0; i < room; i++)
        {
            _roster.LaunchOne();
        }

        if (_roster.Standing >= _warm)
        {
            _warm = 0;
        }

        if (room < count)
        {
            Pause(EngineLimits.RoomPauseMs, anew: false); // nobody reports that there is room again
            Starts.PassTurn();
        }
    }

    private int RoomFor(int wanted)
    {
        SlaveRoom room = _backend.RoomFor(wanted, isFirst: _roster.Working + _roster.Starting == 0);
        int slaves = Math.Clamp(room.Slaves, 0, wanted);
        NoRoomReason = slaves < wanted ? room.Reason : "";
        if (slaves < wanted)
        {
            _scope.Counters.Reasons.Count(PoolDecision.HoldWithoutRoom);
        }

        if (slaves < wanted && _scope.Loop.NowMs >= _roomLogDueMs)
        {
            _roomLogDueMs = _scope.Loop.NowMs + EngineLimits.RoomLogMs;
            PoolLog.HasNoRoom(_scope.Log, _scope.Name, slaves, wanted, room.Reason, _roster.Total, _scope.Queue.Count);
        }

        return slaves;
    }

    private void LogLimit(int waiting)
    {
        if (!_limitLogged)
        {
            _limitLogged = true;
            _scope.Counters.Reasons.Count(PoolDecision.HoldAtLimit);
            PoolLog.Holds(_scope.Log, _scope.Name, waiting, _roster.Idle, _roster.Starting, _roster.Limit);
        }
    }

    private sealed class PauseTimer(PoolGrowth growth) : WheelTimer
    {
        public override void OnDue(long nowMs) => growth.OnPauseOver();
    }

    /// <summary>Fires when the queue should be empty.</summary>
    private sealed class LookTimer(PoolGrowth growth) : WheelTimer
    {
        public override void OnDue(long nowMs) => growth.Grow();
    }
}
