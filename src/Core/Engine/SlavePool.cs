using Cocaine.Fast.Core.Engine.Growth;
using Cocaine.Fast.Core.Engine.Recycling;
using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// An app's slaves: who they are, who is least busy, and who retires for idleness. They grow by <see cref="Growth"/>, and what becomes of
/// their starts is in <see cref="Starts"/>.
/// </summary>
internal sealed class SlavePool
{
    private readonly AppEngine _engine;
    private readonly List<Slave> _slaves = [];
    private readonly SlaveLevels _levels;
    private readonly int[] _byState = new int[Enum.GetValues<SlaveState>().Length];
    private readonly StartFailures _startFailures = new();
    private readonly RetireTimer _retire;
    private int _retired;      // retired ones that have not been told to end yet: they are Busy, or Idle for a moment

    public SlavePool(AppEngine engine, ISlaveBackend backend)
    {
        _engine = engine;
        Minimum = engine.Settings.PoolMinimum;
        Limit = engine.Settings.PoolLimit;
        _levels = new SlaveLevels(engine.Settings.Concurrency);
        Backend = backend;
        Growth = new PoolGrowth(engine, this, backend);
        Starts = new StartHealth(engine);
        Recycler = new Recycler(engine);
        _retire = new RetireTimer(this);
    }

    public IReadOnlyList<Slave> Slaves => _slaves;

    /// <summary>Slaves that are kept warm. The manifest's until <see cref="SetBounds"/>.</summary>
    public int Minimum { get; private set; }

    /// <summary>Most slaves. The manifest's until <see cref="SetBounds"/>.</summary>
    public int Limit { get; private set; }

    /// <summary>Launches slaves.</summary>
    public PoolGrowth Growth { get; }

    /// <summary>How starts go.</summary>
    public StartHealth Starts { get; }

    /// <summary>Replaces worn slaves.</summary>
    public Recycler Recycler { get; }

    /// <summary>What makes its slaves.</summary>
    public ISlaveBackend Backend { get; }

    /// <summary>Slaves that are not dead.</summary>
    public int Total => _slaves.Count;

    /// <summary>Slaves that get no more jobs and finish those they have, or were told to end.</summary>
    public int Leaving => _retired + _byState[(int)SlaveState.Draining];

    /// <summary>Slaves that are ready and get jobs.</summary>
    public int Working => Idle + Busy - _retired;

    /// <summary>
    /// Slaves as the bounds count them: those that leave are not, for their jobs may take long and others need the place; and one that is
    /// being replaced and its replacement are one.
    /// </summary>
    public int Standing => Total - Leaving - (Recycler.IsDoubling ? 1 : 0);

    /// <summary>Slaves that may be launched within the limit. When too many leave, the pool waits for them.</summary>
    public int FreePlaces => Math.Min(Limit - Standing, Limit + MostLeaving - Total);

    /// <summary>
    /// Most slaves that leave while others have their places, one for each: so the pool has never more than twice its limit, and a
    /// replacement.
    /// </summary>
    public int MostLeaving => Limit;

    public int Starting => _byState[(int)SlaveState.Starting];

    public int Idle => _byState[(int)SlaveState.Idle];

    public int Busy => _byState[(int)SlaveState.Busy];

    /// <summary>The number of the slave that was launched last.</summary>
    public ulong LastGeneration { get; private set; }

    /// <inheritdoc cref="StartHealth.IsBroken"/>
    public bool IsBroken => Starts.IsBroken;

    /// <inheritdoc cref="StartHealth.LastFailure"/>
    public string LastFailure => Starts.LastFailure;

    /// <inheritdoc cref="PoolGrowth.Start"/>
    public void Start(int slaves) => Growth.Start(slaves);

    /// <inheritdoc cref="PoolGrowth.Grow"/>
    public void Grow() => Growth.Grow();

    /// <summary>The least loaded slave with room, or null.</summary>
    public Slave? Pick() => _levels.Least();

    /// <summary>A slave's load or state changed.</summary>
    public void Moved(Slave slave) => _levels.Place(slave);

    /// <summary>A slave goes from its state to another.</summary>
    public void Count(Slave slave, SlaveState to)
    {
        SlaveState from = slave.State;
        _byState[(int)from]--;
        _byState[(int)to]++;
        if (slave.IsRetired && from != SlaveState.Draining && to is SlaveState.Draining or SlaveState.Dead)
        {
            _retired--;
        }
    }

    /// <summary>A busy slave gets no more jobs.</summary>
    public void OnRetired() => _retired++;

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
            if (Starts.Failures > 0)
            {
                Growth.Grow(); // a job was done: that may be the proof that it waits for
            }
        }
        else if (slave.State == SlaveState.Idle)
        {
            WatchIdle();
        }
    }

    public void OnSlaveReady(Slave slave)
    {
        _startFailures.Clear();
        PoolLog.Ready(_engine.Log, _engine.Name, slave.ShortId, slave.Link.Kind, _engine.Loop.NowMs - slave.StartedMs);
        Starts.OnReady();
        Growth.OnReady(slave);
        Recycler.OnReady(slave); // first: the slave that it relieves gets no more jobs
        Feed();
        WatchIdle();
        _engine.OnSlaveReady();
        Growth.Grow();
    }

    /// <summary>A slave is gone.</summary>
    /// <param name="slave">It is dead.</param>
    /// <param name="before">Its state before.</param>
    /// <param name="hadJobs">It had jobs.</param>
    /// <param name="cause">Why.</param>
    /// <param name="jobs">Their names, for the log.</param>
    public void OnSlaveDead(Slave slave, SlaveState before, bool hadJobs, string cause, string jobs)
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
        StartVerdict verdict = Starts.VerdictOn(slave, before, hadJobs);
        if (verdict is StartVerdict.Failed or StartVerdict.FailedWithJobs)
        {
            _engine.Counters.SlaveStartFailures++;
            _engine.Counters.SlavesDiedYoung += slave.WasReady ? 1UL : 0;
            if (!wasSpare)
            {
                Starts.OnFailed(slave, verdict, cause);
            }
        }
        else if (verdict == StartVerdict.Good)
        {
            Starts.OnGoodDied();
        }

        Recycler.OnPlaceFree();
        _engine.CheckDrained();
    }

    /// <summary>Launches one slave.</summary>
    public Slave LaunchOne()
    {
        Slave slave = new(_engine, ++LastGeneration);
        _slaves.Add(slave);
        _byState[(int)SlaveState.Starting]++;
        _engine.Counters.SlavesStarted++;
        slave.Launch(Backend);
        return slave;
    }

    /// <summary>
    /// The bounds from now on. Slaves over the limit get no more jobs and end when they have none: first those that have the fewest.
    /// </summary>
    public void SetBounds(int minimum, int limit)
    {
        Minimum = minimum;
        Limit = limit;
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

        Growth.OnBounds();
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
        Growth.CancelTimers();
        _engine.Loop.Timers.Cancel(Starts);
        _engine.Loop.Timers.Cancel(_retire);
        _engine.Loop.Timers.Cancel(Recycler);
        _engine.Loop.Timers.Cancel(_engine.Suspects);
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

    private sealed class RetireTimer(SlavePool pool) : WheelTimer
    {
        public override void OnDue(long nowMs) => pool.Retire(nowMs);
    }
}
