using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// An app's slaves: all of them, the least busy one, and the retirement of idle slaves. <see cref="Growth"/> launches slaves, and
/// <see cref="Starts"/> judges their starts.
/// </summary>
internal sealed class SlavePool : ISlaveOwner
{
    private readonly EngineScope _scope;
    private readonly IPoolOwner _owner;
    private readonly SlaveRoster _roster;
    private readonly StartFailures _startFailures = new();
    private readonly IdleSlaves _idle;

    /// <param name="scope">The parts of the engine that pools use.</param>
    /// <param name="backend">Launches slaves.</param>
    /// <param name="owner">Has the jobs, and hears about the slaves' ends.</param>
    public SlavePool(EngineScope scope, ISlaveBackend backend, IPoolOwner owner)
    {
        _scope = scope;
        _owner = owner;
        _roster = new SlaveRoster(scope, backend, this);
        Backend = backend;
        Growth = new PoolGrowth(scope, _roster, backend);
        Recycler = new Recycler(scope, _roster, Growth);
        Starts = Growth.Starts = new StartHealth(scope, _roster, Growth, Recycler, owner);
        Suspects = new SuspectRuns(scope, _roster, this, owner);
        HeldUp = Growth.HeldUp = new HeldUpSlaves(scope, _roster, OnTakenBack, Growth.Grow);
        Cores = new CoreShare(scope, _roster, backend.Cores, OnJobsWait);
        Ahead = new AheadPlacing(scope, _roster, this, owner);
        _idle = new IdleSlaves(scope, _roster);
    }

    /// <summary>The slaves that are not dead, and their bounds.</summary>
    public SlaveRoster Roster => _roster;

    /// <summary>Launches slaves.</summary>
    public PoolGrowth Growth { get; }

    /// <summary>Counts failed starts.</summary>
    public StartHealth Starts { get; }

    /// <summary>Replaces worn slaves.</summary>
    public Recycler Recycler { get; }

    /// <summary>Runs suspects apart from other jobs.</summary>
    public SuspectRuns Suspects { get; }

    /// <summary>Makes the pool's slaves.</summary>
    public ISlaveBackend Backend { get; }

    /// <inheritdoc cref="StartHealth.IsBroken"/>
    public bool IsBroken => Starts.IsBroken;

    /// <inheritdoc cref="StartHealth.LastFailure"/>
    public string LastFailure => Starts.LastFailure;

    /// <summary>Keeps quick jobs on as many slaves as there are cores.</summary>
    public CoreShare Cores { get; }

    /// <summary>Looks after slaves with a worker that computes in one job of several.</summary>
    public HeldUpSlaves HeldUp { get; }

    /// <summary>Gives jobs to slaves ahead of their turn.</summary>
    public AheadPlacing Ahead { get; }

    /// <inheritdoc cref="CoreShare.Pick"/>
    public Slave? Pick() => Cores.Pick();

    /// <inheritdoc/>
    public void OnMoved(Slave slave)
    {
        _roster.Moved(slave);
        HeldUp.Watch(slave);
        TellRoom();
    }

    private void TellRoom() => _scope.Siblings?.OnRoom(RoomForOthers, _roster.FreePlaces);

    /// <summary>Slaves that have nothing to do; 1 when none has, but one has room; 0 while jobs wait for them.</summary>
    private int RoomForOthers => _scope.Queue.Unplaced > 0 ? 0 : _roster.Idle > 0 ? _roster.Idle : _roster.Pick() is null ? 0 : 1;

    /// <inheritdoc/>
    public void OnStateChanges(Slave slave, SlaveState to) => _roster.Count(slave, to);

    /// <inheritdoc/>
    public void OnRetired() => _roster.OnRetired();

    /// <inheritdoc/>
    public void OnHeardAgain() => OnTakenBack();

    /// <inheritdoc/>
    public void OnTakenBack()
    {
        _owner.ExpireLate();
        Feed();
        Ahead.Place();
    }

    private void OnJobsWait()
    {
        OnTakenBack();
        Ahead.Wake(isFull: false);
    }

    /// <inheritdoc/>
    public void OnStoodTooLong(Slave slave)
    {
        OnTakenBack();
        Growth.Grow();
    }

    /// <inheritdoc/>
    public void OnSilenceDue(Slave slave, long listenedMs)
    {
        SilenceWatch.Check(slave, listenedMs);
        if (_scope.Queue.Unplaced > 0)
        {
            OnTakenBack(); // not before the check: the silent slave must not get them again
        }
    }

    /// <inheritdoc/>
    public void OnHeartbeat(Slave slave) => Recycler.OnHeartbeat(slave);

    /// <inheritdoc/>
    public void OnLeaves() => Growth.Grow();

    /// <inheritdoc/>
    public void OnWorn(Slave slave, WearReason why) => Recycler.OnWorn(slave, why);

    /// <inheritdoc/>
    public void OnWornIdle() => Recycler.OnWornIdle();

    /// <inheritdoc/>
    public void OnRunApartOver() => Suspects.OnRunOver();

    /// <inheritdoc/>
    public void OnAbandoned(Slave slave)
    {
        if (!slave.IsRetired)
        {
            Recycler.OnAbandoned(slave);
        }

        if (_scope.Queue.Unplaced > 0)
        {
            Feed();
            Suspects.Reserve();
            Growth.Grow(); // the slave may have left its place to another one
        }
    }

    /// <summary>Gives waiting jobs to slaves with room, and suspects to slaves that are empty.</summary>
    public void Feed()
    {
        if (_scope.Queue.Suspects.Count > 0)
        {
            Suspects.Feed();
        }
        else
        {
            FeedUsual();
        }
    }

    /// <summary>Gives waiting jobs, except suspects, to slaves with room; true when at least one job was given.</summary>
    public bool FeedUsual()
    {
        bool gave = false;
        while (_scope.Queue.Usual > 0 && Pick() is { } slave)
        {
            if (_owner.TakeNext() is { } job)
            {
                slave.Run(job);
                gave = true;
            }
        }

        if (_scope.Queue.Usual > 0 && _roster.Idle > 0)
        {
            Cores.OnWaits();
        }

        return gave;
    }

    /// <inheritdoc/>
    public void OnFreed(Slave slave)
    {
        OnMoved(slave);
        Cores.OnEnded();
        if (_scope.Queue.Unplaced == 0 && slave.State == SlaveState.Idle && !Ahead.Help(slave))
        {
            _idle.Watch();
        }

        if (_scope.Queue.Unplaced > 0)
        {
            Feed();
            Ahead.Refill(slave);
            Suspects.Reserve();
            if (Starts.Failures > 0)
            {
                Growth.Grow(); // a job was done: this may be the proof that the growth waits for
            }
        }
    }

    /// <inheritdoc/>
    public void OnReady(Slave slave)
    {
        _startFailures.Clear();
        PoolLog.Ready(_scope.Log, _scope.Name, slave.ShortId, slave.Link.Kind, _scope.Loop.NowMs - slave.StartedMs);
        Starts.OnReady();
        Growth.OnReady(slave);
        Recycler.OnReady(slave); // first, because the slave that is relieved gets no more jobs
        Feed();
        Ahead.Welcome(slave);
        _idle.Watch();
        _owner.OnSlaveReady();
        Growth.Grow();
    }

    /// <inheritdoc/>
    public void OnDead(Slave slave, SlaveState before, in SlaveLoss loss, List<Job> jobs, string names)
    {
        CountDead(slave, before, in loss, names);
        if (slave.Solo.Stage == SoloStage.Running)
        {
            Suspects.OnRunOver();
        }

        if (loss.IsSuspicion)
        {
            _scope.Counters.UnprovenDeaths++;
            PoolLog.Suspects(_scope.Log, _scope.Name, slave.ShortId, loss.MayBeCause);
        }

        Suspects.Judge(jobs, in loss);
        foreach (Job job in jobs)
        {
            _owner.OnSlaveLost(job, in loss);
        }

        OnTakenBack(); // another slave may have room for the jobs that came back
        Growth.Grow();
        Suspects.Reserve();
    }

    /// <summary>Judges the app's starts by the end of a slave; launches no new slave.</summary>
    private void CountDead(Slave slave, SlaveState before, in SlaveLoss loss, string names)
    {
        _roster.Remove(slave);
        if (before == SlaveState.Draining)
        {
            PoolLog.Ended(_scope.Log, _scope.Name, slave.ShortId, loss.Cause, names);
        }
        else
        {
            if (before == SlaveState.Starting)
            {
                _startFailures.Log(_scope, slave, loss.Cause, names);
            }
            else
            {
                PoolLog.Died(_scope.Log, _scope.Name, slave.ShortId, before, loss.Cause, names);
            }

            _scope.Counters.SlavesDied++;
        }

        bool wasSpare = Recycler.OnDead(slave, before, loss.Cause);
        StartVerdict verdict = Starts.VerdictOn(slave, before, hadJobs: loss.Jobs > 0);
        bool failed = verdict is StartVerdict.Failed or StartVerdict.FailedWithJobs;
        _scope.Counters.SlaveStartFailures += failed ? 1UL : 0;
        _scope.Counters.SlavesDiedYoung += failed && slave.WasReady ? 1UL : 0;
        if (failed && !wasSpare)
        {
            Starts.OnFailed(slave, verdict, loss.Cause);
        }
        else
        {
            Starts.OnEnded(verdict);
        }

        Recycler.OnPlaceFree();
        _owner.CheckDrained();
    }

    /// <summary>
    /// Sets the bounds from now on. Slaves over the limit, the least busy ones, get no more jobs, and end when they have none.
    /// </summary>
    public void SetBounds(int minimum, int limit)
    {
        _roster.SetBounds(minimum, limit);
        Slave[] working = [.. _roster.Slaves.Where(slave => slave.State != SlaveState.Draining && !slave.IsRetired)];
        foreach (Slave slave in working.OrderBy(slave => slave.State).ThenBy(slave => slave.Load).Take(Math.Max(0, working.Length - limit)))
        {
            const string Why = "the pool has a lower limit";
            if (slave.State == SlaveState.Starting)
            {
                slave.Terminate(Why, SlaveEnd.Scaled);
            }
            else
            {
                slave.Retire(Why, SlaveEnd.Scaled);
            }
        }

        Growth.OnBounds();
        TellRoom();
        _idle.Watch();
    }

    /// <summary>Asks every slave to end.</summary>
    public void TerminateAll(string reason)
    {
        CancelTimers();
        foreach (Slave slave in _roster.Slaves)
        {
            slave.Terminate(reason, SlaveEnd.Stopped);
        }
    }

    public void KillAll(string reason)
    {
        CancelTimers();
        foreach (Slave slave in _roster.Slaves)
        {
            slave.End = SlaveEnd.Stopped;
            slave.Link.Kill(reason);
        }
    }

    private void CancelTimers()
    {
        Growth.CancelTimers();
        HeldUp.Stop();
        foreach (WheelTimer timer in (WheelTimer[])[Starts, _idle, Recycler, Suspects, Ahead, Cores])
        {
            _scope.Loop.Timers.Cancel(timer);
        }
    }
}
