using Cocaine.Fast.Core.Engine.Recycling;
using Cocaine.Fast.Core.Engine.Starts;
using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// An app's slaves: grows when jobs wait, shrinks by idleness, replaces what died, and backs off when starts fail.
/// </summary>
internal sealed class SlavePool
{
    private readonly AppEngine _engine;
    private readonly ISlaveBackend _backend;
    private readonly List<Slave> _slaves = [];
    private readonly SlaveLevels _levels;
    private readonly int[] _byState = new int[Enum.GetValues<SlaveState>().Length];
    private readonly StartFailures _startFailures = new();
    private readonly RestartTimer _restart;
    private readonly RetireTimer _retire;
    private ulong _generation;
    private int _failures;     // starts that failed in a row
    private bool _heldLogged;  // the present reason not to grow was logged
    private long _roomLogDueMs; // no line about room is written before

    public SlavePool(AppEngine engine, ISlaveBackend backend)
    {
        _engine = engine;
        _backend = backend;
        Minimum = engine.Settings.PoolMinimum;
        Limit = engine.Settings.PoolLimit;
        _levels = new SlaveLevels(engine.Settings.Concurrency);
        Recycler = new Recycler(engine);
        _restart = new RestartTimer(this);
        _retire = new RetireTimer(this);
    }

    public IReadOnlyList<Slave> Slaves => _slaves;

    /// <summary>Slaves that are kept warm. The manifest's until <see cref="SetBounds"/>.</summary>
    public int Minimum { get; private set; }

    /// <summary>Most slaves. The manifest's until <see cref="SetBounds"/>.</summary>
    public int Limit { get; private set; }

    /// <summary>Replaces worn slaves.</summary>
    public Recycler Recycler { get; }

    /// <summary>What makes its slaves.</summary>
    public ISlaveBackend Backend => _backend;

    /// <summary>Slaves that are not dead.</summary>
    public int Total => _slaves.Count;

    /// <summary>
    /// Slaves as the bounds count them: one that is being replaced and its replacement are one, however long the old one's jobs take.
    /// </summary>
    private int Standing => Recycler.Stage == RecycleStage.Resting ? Total : Total - 1;

    public int Starting => _byState[(int)SlaveState.Starting];

    public int Idle => _byState[(int)SlaveState.Idle];

    public int Busy => _byState[(int)SlaveState.Busy];

    /// <summary>Starts fail again and again: waiting jobs get 500 until one succeeds.</summary>
    public bool IsBroken => _failures >= EngineLimits.FailuresUntilBroken;

    /// <summary>Why the last start failed; valid while starts fail.</summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Launches the first slaves: at least one, so that a broken app shows before its first job.</summary>
    public void Start(int slaves)
    {
        int count = Math.Clamp(slaves, Math.Max(1, Minimum), Limit);
        Launch(count, "the app starts");
    }

    /// <summary>The least loaded slave with room, or null.</summary>
    public Slave? Pick() => _levels.Least();

    /// <summary>A slave's load or state changed.</summary>
    public void Moved(Slave slave) => _levels.Place(slave);

    public void Count(SlaveState from, SlaveState to)
    {
        _byState[(int)from]--;
        _byState[(int)to]++;
    }

    /// <summary>Gives waiting jobs to slaves with room, and suspects to slaves that are empty.</summary>
    public void Feed()
    {
        if (_engine.Queue.Suspects.Count > 0)
        {
            _engine.Suspects.Feed();
        }
        else
        {
            FeedUsual();
        }
    }

    /// <summary>Gives waiting jobs but suspects to slaves with room; true when it gave one.</summary>
    public bool FeedUsual()
    {
        bool gave = false;
        while (_engine.Queue.Usual > 0 && Pick() is { } slave)
        {
            if (_engine.TakeNext() is { } job)
            {
                slave.Run(job);
                gave = true;
            }
        }

        return gave;
    }

    /// <summary>A slave ended a job.</summary>
    public void Freed(Slave slave)
    {
        Moved(slave);
        if (_engine.Queue.Count > 0)
        {
            Feed();
            _engine.Suspects.Reserve();
        }
        else if (slave.State == SlaveState.Idle)
        {
            WatchIdle();
        }
    }

    public void OnSlaveReady(Slave slave)
    {
        bool wasBroken = IsBroken;
        _failures = 0;
        LastFailure = "";
        _startFailures.Clear();
        PoolLog.Ready(_engine.Log, _engine.Name, slave.ShortId, slave.Link.Kind, _engine.Loop.NowMs - slave.StartedMs);
        if (wasBroken)
        {
            PoolLog.Recovered(_engine.Log, _engine.Name);
        }

        Recycler.OnReady(slave); // first: the slave that it relieves gets no more jobs
        Feed();
        WatchIdle();
        _engine.OnSlaveReady();
        if (Standing < Minimum)
        {
            Grow();
        }
    }

    public void OnSlaveDead(Slave slave, SlaveState before, string cause, string jobs)
    {
        _levels.Remove(slave);
        _slaves.Remove(slave);
        _byState[(int)SlaveState.Dead]--;
        if (before == SlaveState.Draining)
        {
            PoolLog.Ended(_engine.Log, _engine.Name, slave.ShortId, cause, jobs);
        }
        else
        {
            if (before == SlaveState.Starting)
            {
                _startFailures.Log(_engine, slave, cause, jobs);
            }
            else
            {
                PoolLog.Died(_engine.Log, _engine.Name, slave.ShortId, before, cause, jobs);
            }

            _engine.Counters.SlavesDied++;
        }

        bool wasSpare = Recycler.OnDead(slave, before, cause);
        if (before == SlaveState.Starting)
        {
            _engine.Counters.SlaveStartFailures++;
            if (!wasSpare)
            {
                OnStartFailed(cause);
            }
        }

        _engine.CheckDrained();
    }

    /// <summary>Launches slaves when jobs wait and too few are idle or starting, or when there are fewer than the minimum.</summary>
    public void Grow()
    {
        if (_engine.State == EngineState.Stopped || _restart.IsArmed)
        {
            return;
        }

        int waiting = _engine.Queue.Count;
        int available = Idle + Starting;
        int wanted = _engine.Queue.SlavesFor(_engine.Settings.Concurrency) - available;
        if (_engine.State == EngineState.Running)
        {
            wanted = Math.Max(wanted, Minimum - Standing);
        }

        if (wanted <= 0)
        {
            return;
        }

        int count = Math.Min(wanted, Limit - Standing);
        if (count <= 0)
        {
            if (!_heldLogged)
            {
                _heldLogged = true;
                PoolLog.Holds(_engine.Log, _engine.Name, waiting, Idle, Starting, Limit);
            }

            return;
        }

        _heldLogged = false;
        Launch(count, "jobs wait or slaves are below the minimum");
    }

    /// <summary>The pause after so many failed starts in a row: each twice the one before, up to a bound.</summary>
    public static long PauseMs(int failures) =>
        Math.Min((long)EngineLimits.FirstRestartPauseMs << Math.Min(failures - 1, 16), EngineLimits.MaxRestartPauseMs);

    /// <summary>
    /// Launches a slave that is to take a worn one's place, over the pool-limit if need be; null when the backend has no room for it.
    /// </summary>
    public Slave? TryLaunchReplacement()
    {
        if (RoomFor(1) == 0)
        {
            return null;
        }

        LaunchOne();
        return _slaves[^1];
    }

    /// <summary>
    /// The bounds from now on. Slaves over the limit get no more jobs and end when they have none: first those that have the fewest.
    /// </summary>
    public void SetBounds(int minimum, int limit)
    {
        Minimum = minimum;
        Limit = limit;
        _heldLogged = false;
        Slave[] working = [.. _slaves.Where(slave => slave.State != SlaveState.Draining && !slave.IsRetired)];
        foreach (Slave slave in working.OrderBy(slave => slave.State).ThenBy(slave => slave.Load).Take(Math.Max(0, working.Length - limit)))
        {
            const string Why = "the pool has a lower limit";
            if (slave.State == SlaveState.Starting)
            {
                slave.Terminate(Why);
            }
            else
            {
                slave.Retire(Why);
            }
        }

        Grow();
        WatchIdle();
    }

    /// <summary>Asks every slave to end.</summary>
    public void TerminateAll(string reason)
    {
        CancelTimers();
        foreach (Slave slave in _slaves.ToArray())
        {
            slave.Terminate(reason);
        }
    }

    public void KillAll(string reason)
    {
        CancelTimers();
        foreach (Slave slave in _slaves.ToArray())
        {
            slave.Link.Kill(reason);
        }
    }

    private void CancelTimers()
    {
        _engine.Loop.Timers.Cancel(_restart);
        _engine.Loop.Timers.Cancel(_retire);
        _engine.Loop.Timers.Cancel(Recycler);
        _engine.Loop.Timers.Cancel(_engine.Suspects);
    }

    /// <summary>Launches as many of these as there is room for, and tries again later when that is not all.</summary>
    private void Launch(int count, string why)
    {
        int room = RoomFor(count);
        if (room > 0)
        {
            PoolLog.Grows(_engine.Log, _engine.Name, room, _engine.Queue.Count, Idle, Starting, why);
        }

        for (int i = 0; i < room; i++)
        {
            LaunchOne();
        }

        if (room < count && !_restart.IsArmed)
        {
            _engine.Loop.Timers.Arm(_restart, _engine.Loop.NowMs + EngineLimits.RoomPauseMs); // nobody says when there is room again
        }
    }

    private void LaunchOne()
    {
        Slave slave = new(_engine, ++_generation);
        _slaves.Add(slave);
        _byState[(int)SlaveState.Starting]++;
        _engine.Counters.SlavesStarted++;
        slave.Launch(_backend);
    }

    private int RoomFor(int wanted)
    {
        SlaveRoom room = _backend.RoomFor(wanted, isFirst: Total == 0);
        int slaves = Math.Clamp(room.Slaves, 0, wanted);
        if (slaves < wanted && _engine.Loop.NowMs >= _roomLogDueMs)
        {
            _roomLogDueMs = _engine.Loop.NowMs + EngineLimits.RoomLogMs;
            PoolLog.HasNoRoom(_engine.Log, _engine.Name, slaves, wanted, room.Reason, Total, _engine.Queue.Count);
        }

        return slaves;
    }

    private void OnStartFailed(string cause)
    {
        _failures++;
        LastFailure = cause;
        if (_failures == EngineLimits.FailuresUntilBroken)
        {
            PoolLog.Broken(_engine.Log, _engine.Name, _failures, StartFailures.ShortOf(cause));
        }

        if (IsBroken)
        {
            _engine.OnBroken(cause);
        }

        if (_engine.State == EngineState.Running && !_restart.IsArmed)
        {
            _engine.Loop.Timers.Arm(_restart, _engine.Loop.NowMs + PauseMs(_failures));
        }
    }

    private void Restart()
    {
        if (_engine.State == EngineState.Running && Starting + Idle == 0 && Standing < Limit)
        {
            Launch(1, _failures > 0 ? "the last start failed" : "the app has no slave"); // one at a time while they do
        }
        else
        {
            Grow();
        }
    }

    private void WatchIdle()
    {
        if (!_retire.IsArmed && _engine.State == EngineState.Running && Standing > Minimum && Idle > 0)
        {
            _engine.Loop.Timers.Arm(_retire, _engine.Loop.NowMs + _engine.Settings.SuicideTimeoutMs);
        }
    }

    /// <summary>Retires the slave that has been idle longest, if it has been for long enough; one at a time.</summary>
    private void Retire(long nowMs)
    {
        Slave? oldest = null;
        foreach (Slave slave in _slaves)
        {
            if (slave.State == SlaveState.Idle && (oldest is null || slave.IdleSinceMs < oldest.IdleSinceMs))
            {
                oldest = slave;
            }
        }

        if (oldest is null || Standing <= Minimum)
        {
            return;
        }

        long due = oldest.IdleSinceMs + _engine.Settings.SuicideTimeoutMs;
        if (due <= nowMs)
        {
            PoolLog.Shrinks(_engine.Log, _engine.Name, oldest.ShortId, nowMs - oldest.IdleSinceMs, Total, Minimum);
            oldest.Terminate("idle for the suicide-timeout");
            due = nowMs + 1000;
        }

        _engine.Loop.Timers.Arm(_retire, due);
    }

    private sealed class RestartTimer(SlavePool pool) : WheelTimer
    {
        public override void OnDue(long nowMs) => pool.Restart();
    }

    private sealed class RetireTimer(SlavePool pool) : WheelTimer
    {
        public override void OnDue(long nowMs) => pool.Retire(nowMs);
    }
}
