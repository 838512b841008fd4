using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Engine.Recycling;

/// <summary>Where the replacement of a worn slave is: <c>resting → launching → ending → resting</c>.</summary>
internal enum RecycleStage
{
    /// <summary>No slave is being replaced.</summary>
    Resting,

    /// <summary>The replacement was launched; the old slave works on.</summary>
    Launching,

    /// <summary>The replacement is ready; the old slave gets no more jobs, and ends when it has none.</summary>
    Ending,
}

/// <summary>
/// Replaces worn slaves, one at a time: the replacement is ready before the old one is told to end, and no job is cut short that anybody
/// waits for. For that moment the pool has one slave more than its limit.
/// </summary>
internal sealed class Recycler(AppEngine engine) : WheelTimer
{
    private Slave? _old;           // valid in Launching and Ending
    private Slave? _replacement;   // valid in Launching
    private int _failures;         // replacements in a row that did not come up
    private long _restUntilMs;     // no replacement is launched before

    public RecycleStage Stage { get; private set; }

    /// <summary>A slave is ready: it may be the replacement that was waited for.</summary>
    public void OnReady(Slave slave)
    {
        if (slave == _replacement)
        {
            _failures = 0;
            Relieve(_old!, slave);
        }

        WatchAge();
    }

    /// <summary>A slave is worn: it is replaced when its turn has come.</summary>
    public void OnWorn(Slave slave, WearReason why)
    {
        if (slave.Worn == WearReason.None)
        {
            slave.Worn = why;
            TryBegin();
        }
    }

    /// <summary>A slave has one more job that it does not end: it is replaced in its turn, or ends at once when no place is left.</summary>
    public void OnAbandoned(Slave slave)
    {
        OnWorn(slave, WearReason.AbandonedJobs);
        EndUseless();
    }

    /// <summary>A slave has sent a heartbeat: now and then its memory is looked at.</summary>
    public void OnHeartbeat(Slave slave)
    {
        long nowMs = engine.Loop.NowMs;
        if (engine.Settings.MaxRssBytes == 0 || nowMs - slave.RssReadMs < EngineLimits.RssPeriodMs)
        {
            return;
        }

        slave.RssReadMs = nowMs;
        slave.RssBytes = slave.Link.ReadRssBytes();
        if (slave.RssBytes >= slave.Wear.RssBytes && slave.State is SlaveState.Idle or SlaveState.Busy)
        {
            OnWorn(slave, WearReason.Memory);
        }
    }

    /// <summary>
    /// A slave is gone. True when it was a replacement that did not come up: that breaks no app, the slave that it was for works on.
    /// </summary>
    public bool OnDead(Slave slave, SlaveState before, string cause)
    {
        if (slave != _old && slave != _replacement)
        {
            return false;
        }

        bool failed = slave == _replacement && before == SlaveState.Starting;
        if (failed && engine.State == EngineState.Running)
        {
            long pauseMs = SlavePool.PauseMs(++_failures);
            _restUntilMs = engine.Loop.NowMs + pauseMs;
            engine.Counters.RecyclingsFailed++;
            RecycleLog.Failed(engine.Log, engine.Name, _old!.ShortId, slave.ShortId, _failures, pauseMs, cause);
        }
        else if (slave == _old && Stage == RecycleStage.Ending)
        {
            RecycleLog.Done(engine.Log, engine.Name, slave.ShortId, engine.Pool.Total);
        }

        MoveTo(RecycleStage.Resting, null, null);
        TryBegin();
        EndUseless();
        return failed;
    }

    /// <summary>Some slave has reached its age, or the rest after a failed replacement is over.</summary>
    public override void OnDue(long nowMs)
    {
        foreach (Slave slave in engine.Pool.Slaves)
        {
            if (slave.Worn == WearReason.None && slave.Wear.AgeDueMs <= nowMs && slave.State is SlaveState.Idle or SlaveState.Busy)
            {
                slave.Worn = WearReason.Age;
            }
        }

        TryBegin();
        WatchAge();
    }

    private void TryBegin()
    {
        if (Stage != RecycleStage.Resting || engine.State != EngineState.Running)
        {
            return;
        }

        Slave? worn = FirstWorn();
        if (worn is null)
        {
            return;
        }

        if (engine.Loop.NowMs < _restUntilMs)
        {
            WatchAge();
            return;
        }

        int total = engine.Pool.Total;
        if (engine.Pool.TryLaunchReplacement() is not { } replacement)
        {
            _restUntilMs = engine.Loop.NowMs + EngineLimits.RoomPauseMs;
            WatchAge();
            return;
        }

        RecycleLog.Begins(engine.Log, engine.Name, worn.ShortId, worn.Worn, worn.JobsDone, engine.Loop.NowMs - worn.StartedMs,
            worn.RssBytes, total, engine.Pool.Limit);
        MoveTo(RecycleStage.Launching, worn, replacement);
    }

    private void Relieve(Slave old, Slave replacement)
    {
        engine.Counters.CountRecycled(old.Worn);
        RecycleLog.Relieved(engine.Log, engine.Name, old.ShortId, replacement.ShortId, old.Load, old.Channels.Abandoned);
        if (old.State == SlaveState.Idle)
        {
            replacement.ContinueIdleness(old); // else an app that nobody calls would never lose its last slave
        }

        MoveTo(RecycleStage.Ending, old, null);
        old.Retire($"recycled: {old.Worn}");
    }

    /// <summary>The first worn slave, or the one that has lost most of its places.</summary>
    private Slave? FirstWorn()
    {
        Slave? first = null;
        foreach (Slave slave in engine.Pool.Slaves)
        {
            if (slave.Worn != WearReason.None && !slave.IsRetired && !slave.IsEnding
                && (first is null || slave.Channels.Abandoned > first.Channels.Abandoned))
            {
                first = slave;
            }
        }

        return first;
    }

    /// <summary>
    /// Ends slaves that can run nothing any more and whose turn may be far: another one is being replaced, which takes as long as its
    /// jobs, or replacements fail, or the app drains. Nothing is lost with them, and the pool launches others as it needs them.
    /// </summary>
    private void EndUseless()
    {
        foreach (Slave slave in engine.Pool.Slaves.ToArray())
        {
            if (slave.IsUseless && slave != _old) // for that one a replacement is on its way
            {
                engine.Counters.CountRecycled(WearReason.AbandonedJobs);
                RecycleLog.EndsUseless(
                    engine.Log, engine.Name, slave.ShortId, slave.Channels.Abandoned, engine.Pool.Total, engine.Pool.Limit);
                slave.Retire($"recycled: {WearReason.AbandonedJobs}");
            }
        }
    }

    /// <summary>Arms the timer for the next slave that reaches its age, and for the end of a rest.</summary>
    private void WatchAge()
    {
        long due = engine.Loop.NowMs < _restUntilMs ? _restUntilMs : long.MaxValue;
        foreach (Slave slave in engine.Pool.Slaves)
        {
            if (slave.Worn == WearReason.None)
            {
                due = Math.Min(due, slave.Wear.AgeDueMs);
            }
        }

        if (due != long.MaxValue && engine.State == EngineState.Running)
        {
            engine.Loop.Timers.Arm(this, Math.Max(due, engine.Loop.NowMs + 1));
        }
    }

    private void MoveTo(RecycleStage next, Slave? old, Slave? replacement)
    {
        bool legal = (Stage, next) switch
        {
            (RecycleStage.Resting, RecycleStage.Launching) => true,
            (RecycleStage.Launching, RecycleStage.Ending) => true,
            (not RecycleStage.Resting, RecycleStage.Resting) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"recycling cannot go from {Stage} to {next}");
        }

        Stage = next;
        _old = old;
        _replacement = replacement;
    }
}
