using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Engine.Growth;

/// <summary>
/// When and by how much a pool grows: for the jobs that wait and up to its minimum, within its limit, with a bound on starts at a time, and
/// as far as the backend has room. It tries again by itself what it could not do, for as long as the app lives: nobody else may call it.
/// </summary>
internal sealed class PoolGrowth
{
    private readonly AppEngine _engine;
    private readonly SlavePool _pool;
    private readonly ISlaveBackend _backend;
    private readonly PauseTimer _pause;
    private readonly LookTimer _look;
    private int _warm;             // slaves that the start asked for, until so many were launched; then 0
    private long _startMs;         // how long a start takes of late; 0 when none was good yet
    private bool _limitLogged;     // that the pool is at its limit was logged, and it is still
    private long _roomLogDueMs;    // no line about room is written before

    public PoolGrowth(AppEngine engine, SlavePool pool, ISlaveBackend backend)
    {
        _engine = engine;
        _pool = pool;
        _backend = backend;
        Outlook = new QueueOutlook(engine);
        _pause = new PauseTimer(this);
        _look = new LookTimer(this);
    }

    /// <summary>How soon the jobs that wait will have ended.</summary>
    public QueueOutlook Outlook { get; }

    /// <summary>Why the backend had no room for slaves that the pool wanted when it asked last; empty when it had.</summary>
    public string NoRoomReason { get; private set; } = "";

    /// <summary>Time until the pool tries again after a failed start or for want of room, ms; 0 when it does not wait.</summary>
    public long NextTryMs => _pause.IsArmed ? Math.Max(1, _pause.DueMs - _engine.Loop.NowMs) : 0;

    /// <summary>The jobs that wait will have ended before another slave would be ready; if they have not, it is launched.</summary>
    public bool IsLooking => _look.IsArmed;

    /// <summary>Launches the first slaves: at least one, so that a broken app shows before its first job.</summary>
    public void Start(int slaves)
    {
        _warm = Math.Clamp(slaves, Math.Max(1, _pool.Minimum), _pool.Limit);
        Launch(Math.Min(_warm, _backend.StartsAtOnce), "the app starts");
    }

    /// <summary>Launches slaves when jobs wait and too few are idle or starting, or when there are fewer than the minimum.</summary>
    public void Grow()
    {
        _pool.Starts.LookForProof();
        if (_engine.State == EngineState.Stopped || _pause.IsArmed)
        {
            return;
        }

        int waiting = _engine.Queue.Count, starting = _pool.Starting, standing = _pool.Standing;
        int forJobs = _engine.Queue.SlavesFor(_engine.Settings.Concurrency) - _pool.Idle - starting;
        int forMinimum = _engine.State == EngineState.Running ? Math.Max(0, Math.Max(_pool.Minimum, _warm) - standing) : 0;
        int wanted = Math.Max(forJobs, forMinimum);
        if (wanted <= 0)
        {
            return;
        }

        int places = _pool.FreePlaces;
        if (places <= 0)
        {
            LogLimit(waiting);
            return;
        }

        // When these are used up, each slave that starts calls again, whatever comes of it; so does one that was on trial.
        int starts = _pool.Starts.Failures > 0 ? 1 - Math.Max(starting, _pool.Starts.OnTrial) : _backend.StartsAtOnce - starting;
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
        long tookMs = _engine.Loop.NowMs - slave.StartedMs;
        _startMs = _startMs == 0 ? tookMs : ((3 * _startMs) + tookMs) / 4; // the last few count
    }

    /// <summary>The bounds of the pool have changed.</summary>
    public void OnBounds()
    {
        _warm = Math.Min(_warm, _pool.Limit);
        _limitLogged = false;
        Grow();
    }

    /// <summary>Launches a slave over the pool-limit, that is to take a worn one's place; null when there is no room for it.</summary>
    public Slave? TryLaunchReplacement() => RoomFor(1) == 0 ? null : _pool.LaunchOne();

    /// <summary>Launches nothing for so long; a pause that is on its way is not made longer unless it is <paramref name="anew"/>.</summary>
    public void Pause(long ms, bool anew)
    {
        if (_engine.State != EngineState.Stopped && (anew || !_pause.IsArmed))
        {
            _engine.Loop.Timers.Arm(_pause, _engine.Loop.NowMs + ms);
        }
    }

    /// <summary>There is no reason to wait any more.</summary>
    public void EndPause() => _engine.Loop.Timers.Cancel(_pause);

    public void CancelTimers()
    {
        _engine.Loop.Timers.Cancel(_pause);
        _engine.Loop.Timers.Cancel(_look);
    }

    private void OnPauseOver()
    {
        if (_engine.State != EngineState.Running || _pool.Working + _pool.Starting > 0)
        {
            Grow();
        }
        else if (_pool.FreePlaces > 0)
        {
            // Though no job waits: an app that is broken refuses those that come, and would never be tried again.
            Launch(1, _pool.Starts.Failures > 0 ? "the last start failed" : "the app has no slave");
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
            _engine.Loop.Timers.Arm(
                _look, _engine.Loop.NowMs + Math.Clamp(clearsInMs, EngineLimits.MinLookMs, EngineLimits.OutlookWindowMs / 2));
        }

        return true;
    }

    /// <summary>Launches as many of these as there is room for, and tries again later when that is not all.</summary>
    private void Launch(int count, string why)
    {
        int room = RoomFor(count);
        if (room > 0)
        {
            PoolLog.Grows(_engine.Log, _engine.Name, room, _engine.Queue.Count, _pool.Idle, _pool.Starting, why);
        }

        for (int i = 0; i < room; i++)
        {
            _pool.LaunchOne();
        }

        if (_pool.Standing >= _warm)
        {
            _warm = 0;
        }

        if (room < count)
        {
            Pause(EngineLimits.RoomPauseMs, anew: false); // nobody says when there is room again
        }
    }

    private int RoomFor(int wanted)
    {
        SlaveRoom room = _backend.RoomFor(wanted, isFirst: _pool.Working + _pool.Starting == 0);
        int slaves = Math.Clamp(room.Slaves, 0, wanted);
        NoRoomReason = slaves < wanted ? room.Reason : "";
        if (slaves < wanted && _engine.Loop.NowMs >= _roomLogDueMs)
        {
            _roomLogDueMs = _engine.Loop.NowMs + EngineLimits.RoomLogMs;
            PoolLog.HasNoRoom(_engine.Log, _engine.Name, slaves, wanted, room.Reason, _pool.Total, _engine.Queue.Count);
        }

        return slaves;
    }

    private void LogLimit(int waiting)
    {
        if (!_limitLogged)
        {
            _limitLogged = true;
            PoolLog.Holds(_engine.Log, _engine.Name, waiting, _pool.Idle, _pool.Starting, _pool.Limit);
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
