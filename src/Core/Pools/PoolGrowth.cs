using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// When and by how much a pool grows: for the jobs that wait and up to its minimum, within its limit, with a bound on starts at a time, and
/// as far as the backend has room. After a failure it tries again by itself, for as long as the app lives: no other call may come.
/// </summary>
internal sealed class PoolGrowth
{
    private readonly EngineScope _scope;
    private readonly SlaveRoster _roster;
    private readonly ISlaveBackend _backend;
    private readonly PauseTimer _pause;
    private readonly LookTimer _look;
    private int _warm;             // slaves that the start asked for, until so many were launched; then 0
    private long _startMs;         // how long recent starts took; 0 when none was good yet
    private bool _limitLogged;     // that the pool is at its limit was logged, and it is still
    private long _roomLogDueMs;    // no line about room is written before

    /// <param name="scope">The parts of the engine that pools use.</param>
    /// <param name="roster">The slaves.</param>
    /// <param name="backend">Says how many there is room for.</param>
    public PoolGrowth(EngineScope scope, SlaveRoster roster, ISlaveBackend backend)
    {
        _scope = scope;
        _roster = roster;
        _backend = backend;
        Outlook = new QueueOutlook(scope);
        _pause = new PauseTimer(this);
        _look = new LookTimer(this);
    }

    /// <summary>How starts go. Set once, by the pool.</summary>
    public StartHealth Starts { get; set; } = null!;

    /// <summary>How soon the jobs that wait will have ended.</summary>
    public QueueOutlook Outlook { get; }

    /// <summary>Why the backend had no room for slaves that the pool wanted when it asked last; empty when it had.</summary>
    public string NoRoomReason { get; private set; } = "";

    /// <summary>Time until the pool tries again after a failed start or for want of room, ms; 0 when it does not wait.</summary>
    public long NextTryMs => _pause.IsArmed ? Math.Max(1, _pause.DueMs - _scope.Loop.NowMs) : 0;

    /// <summary>The jobs that wait will have ended before another slave would be ready; if they have not, it is launched.</summary>
    public bool IsLooking => _look.IsArmed;

    /// <summary>Launches the first slaves: at least one, so that a broken app shows before its first job.</summary>
    public void Start(int slaves)
    {
        _warm = Math.Clamp(slaves, Math.Max(1, _roster.Minimum), _roster.Limit);
        Launch(Math.Min(_warm, _backend.StartsAtOnce), "the app starts");
    }

    /// <summary>Launches slaves when jobs wait and too few are idle or starting, or when there are fewer than the minimum.</summary>
    public void Grow()
    {
        Starts.LookForProof();
        if (_scope.State == EngineState.Stopped || _pause.IsArmed)
        {
            return;
        }

        int waiting = _scope.Queue.Count, starting = _roster.Starting, standing = _roster.Standing;
        int forJobs = _scope.Queue.SlavesFor(_scope.Settings.Concurrency) - _roster.Idle - starting;
        int forMinimum = _scope.State == EngineState.Running ? Math.Max(0, Math.Max(_roster.Minimum, _warm) - standing) : 0;
        int wanted = Math.Max(forJobs, forMinimum);
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

        // When these are used up, each slave that starts calls again, whatever comes of it; so does one that was on trial.
        int starts = Starts.Failures > 0 ? 1 - Math.Max(starting, Starts.OnTrial) : _backend.StartsAtOnce - starting;
        starts = Math.Min(starts, places);
        int count = Math.Min(wanted, starts);
        if (count > forMinimum && starting + count > 1 && ClearsBeforeAStart(waiting))
        {
            count = Math.Min(starts, starting == 0 ? Math.Max(1, forMinimum) : forMinimum); // a job that waits starts one at once
        }

        _limitLogged = false;
        if (count > 0)
        {
            Launch(count, "jobs wait or slaves are below the minimum");
        }
    }

    /// <summary>A slave has come up.</summary>
    public void OnReady(Slave slave)
    {
        long tookMs = _scope.Loop.NowMs - slave.StartedMs;
        _startMs = _startMs == 0 ? tookMs : ((3 * _startMs) + tookMs) / 4; // the last few count
    }

    /// <summary>The bounds of the pool have changed.</summary>
    public void OnBounds()
    {
        _warm = Math.Min(_warm, _roster.Limit);
        _limitLogged = false;
        Grow();
    }

    /// <summary>Launches a slave over the pool-limit, that is to take a worn one's place; null when there is no room for it.</summary>
    public Slave? TryLaunchReplacement() => RoomFor(1) == 0 ? null : _roster.LaunchOne();

    /// <summary>Launches nothing for so long; a pause that is on its way is not made longer unless it is <paramref name="anew"/>.</summary>
    public void Pause(long ms, bool anew)
    {
        if (_scope.State != EngineState.Stopped && (anew || !_pause.IsArmed))
        {
            _scope.Loop.Timers.Arm(_pause, _scope.Loop.NowMs + ms);
        }
    }

    /// <summary>There is no reason to wait any more.</summary>
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
        else if (_roster.FreePlaces > 0)
        {
            // Though no job waits: an app that is broken refuses those that come, and would never be tried again.
            Launch(1, Starts.Failures > 0 ? "the last start failed" : "the app has no slave");
        }
        else
        {
            Pause(EngineLimits.RoomPauseMs, anew: true);
        }
    }

    /// <summary>The jobs that wait will have ended before a slave that is launched now is ready. Looks again, lest they do not.</summary>
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

    /// <summary>Launches as many of these as there is room for, and tries again later when that is not all.</summary>
    private void Launch(int count, string why)
    {
        int room = RoomFor(count);
        if (room > 0)
        {
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
            Pause(EngineLimits.RoomPauseMs, anew: false); // no one reports when there is room again
        }
    }

    private int RoomFor(int wanted)
    {
        SlaveRoom room = _backend.RoomFor(wanted, isFirst: _roster.Working + _roster.Starting == 0);
        int slaves = Math.Clamp(room.Slaves, 0, wanted);
        NoRoomReason = slaves < wanted ? room.Reason : "";
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
            PoolLog.Holds(_scope.Log, _scope.Name, waiting, _roster.Idle, _roster.Starting, _roster.Limit);
        }
    }

    private sealed class PauseTimer(PoolGrowth growth) : WheelTimer
    {
        public override void OnDue(long nowMs) => growth.OnPauseOver();
    }

    /// <summary>The queue was to be empty by now.</summary>
    private sealed class LookTimer(PoolGrowth growth) : WheelTimer
    {
        public override void OnDue(long nowMs) => growth.Grow();
    }
}
