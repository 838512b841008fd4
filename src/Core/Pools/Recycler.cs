using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>The stage of a worn slave's replacement: <c>resting ⇄ launching</c>.</summary>
internal enum RecycleStage
{
    /// <summary>No slave is being replaced.</summary>
    Resting,

    /// <summary>The replacement was launched; the old slave works on.</summary>
    Launching,
}

/// <summary>
/// Replaces worn slaves, one at a time. The replacement is ready before the old slave is told to end, and no job is cut short while anybody
/// waits for it. A relieved slave that still has long jobs does not delay the next replacement, until as many slaves are leaving as may
/// leave (<see cref="SlaveRoster.MostLeaving"/>). From then on only slaves without a job are replaced, and those are told to end first.
/// </summary>
internal sealed class Recycler(EngineScope scope, SlaveRoster roster, PoolGrowth growth) : WheelTimer
{
    private Slave? _old;           // valid in Launching
    private Slave? _replacement;   // valid in Launching
    private int _failures;         // replacements in a row that did not come up
    private long _restUntilMs;     // no replacement is launched before this time
    private bool _waitsForIdle;    // a worn slave has jobs, and there is no place for its replacement

    public RecycleStage Stage { get; private set; }

    /// <summary>A slave is ready: it may be the awaited replacement.</summary>
    public void OnReady(Slave slave)
    {
        if (slave == _replacement)
        {
            _failures = 0;
            Relieve(_old!, slave);
        }

        WatchAge();
    }

    /// <summary>A slave is worn: it is replaced in its turn.</summary>
    public void OnWorn(Slave slave, WearReason why)
    {
        if (slave.Wear.Reason == WearReason.None)
        {
            slave.Wear.Reason = why;
            TryBegin();
        }
    }

    /// <summary>A worn slave has no job at the moment.</summary>
    public void OnWornIdle()
    {
        if (_waitsForIdle)
        {
            TryBegin();
        }
    }

    /// <summary>No slave is replaced for this time.</summary>
    public void Rest(long ms)
    {
        _restUntilMs = Math.Max(_restUntilMs, scope.Loop.NowMs + ms);
        WatchAge();
    }

    /// <summary>A slave has abandoned one more job: the slave is replaced in its turn, or ends at once when it has no place left.</summary>
    public void OnAbandoned(Slave slave)
    {
        OnWorn(slave, WearReason.AbandonedJobs);
        EndUseless();
    }

    /// <summary>A slave has sent a heartbeat: from time to time this is a reason to look at its memory.</summary>
    public void OnHeartbeat(Slave slave)
    {
        long nowMs = scope.Loop.NowMs;
        if (scope.Settings.MaxRssBytes == 0 || nowMs - slave.Wear.RssReadMs < EngineLimits.RssPeriodMs)
        {
            return;
        }

        slave.Wear.RssReadMs = nowMs;
        slave.Wear.RssBytes = slave.Link.ReadRssBytes();
        if (slave.Wear.RssBytes >= slave.Wear.Limits.RssBytes && (slave.State is SlaveState.Idle or SlaveState.Busy))
        {
            OnWorn(slave, WearReason.Memory);
        }
    }

    /// <summary>
    /// A slave is gone. True when the slave was a replacement that did not come up: the app is not broken by that, because the old slave
    /// works on.
    /// </summary>
    public bool OnDead(Slave slave, SlaveState before, string cause)
    {
        bool failed = slave == _replacement && before == SlaveState.Starting;
        if (failed && scope.State == EngineState.Running)
        {
            long pauseMs = StartPauses.AfterMs(++_failures);
            _restUntilMs = scope.Loop.NowMs + pauseMs;
            scope.Counters.RecyclingsFailed++;
            RecycleLog.Failed(scope.Log, scope.Name, _old!.ShortId, slave.ShortId, _failures, pauseMs, cause);
        }
        else if (slave.Wear.IsRelieved)
        {
            RecycleLog.Done(scope.Log, scope.Name, slave.ShortId, roster.Total);
        }

        if (slave == _old || slave == _replacement)
        {
            MoveTo(RecycleStage.Resting, null, null);
        }

        return failed;
    }

    /// <summary>A slave is gone: a replacement may have waited for its place.</summary>
    public void OnPlaceFree()
    {
        TryBegin();
        EndUseless();
    }

    /// <summary>A slave has reached its age, or the rest after a failed replacement is over.</summary>
    public override void OnDue(long nowMs)
    {
        foreach (Slave slave in roster.Slaves)
        {
            bool isReady = slave.State is SlaveState.Idle or SlaveState.Busy;
            if (isReady && slave.Wear.Reason == WearReason.None && slave.Wear.Limits.AgeDueMs <= nowMs)
            {
                slave.Wear.Reason = WearReason.Age;
            }
        }

        TryBegin();
        WatchAge();
    }

    private void TryBegin()
    {
        if (Stage != RecycleStage.Resting || scope.State != EngineState.Running)
        {
            return;
        }

        _waitsForIdle = false;
        Slave? worn = FirstWorn();
        if (worn is null)
        {
            return;
        }

        if (scope.Loop.NowMs < _restUntilMs)
        {
            WatchAge();
            return;
        }

        int total = roster.Total;
        if (roster.Leaving > roster.MostLeaving)
        {
            return; // the slave that was told to end in place has not ended yet
        }

        if (roster.Leaving == roster.MostLeaving)
        {
            EndInPlace();
        }
        else if (growth.TryLaunchReplacement() is { } replacement)
        {
            RecycleLog.Begins(scope.Log, scope.Name, worn.ShortId, worn.Wear.Reason, worn.JobsDone, scope.Loop.NowMs - worn.StartedMs,
                worn.Wear.RssBytes, total, roster.Limit);
            MoveTo(RecycleStage.Launching, worn, replacement);
        }
        else
        {
            Rest(EngineLimits.RoomPauseMs);
        }
    }

    /// <summary>Replaces a worn slave without a job by ending the slave first; the pool launches another one when it needs one.</summary>
    private void EndInPlace()
    {
        Slave? idle = roster.Slaves.FirstOrDefault(
            slave => slave.Wear.Reason != WearReason.None && slave.State == SlaveState.Idle && !slave.IsEnding);
        _waitsForIdle = idle is null;
        if (idle is null)
        {
            return;
        }

        scope.Counters.CountRecycled(idle.Wear.Reason);
        RecycleLog.EndsInPlace(scope.Log, scope.Name, idle.ShortId, idle.Wear.Reason, idle.JobsDone, roster.Total, roster.Leaving,
            roster.Limit);
        idle.Wear.IsRelieved = true;
        idle.Retire($"recycled: {idle.Wear.Reason}", SlaveEnd.Recycled);
    }

    private void Relieve(Slave old, Slave replacement)
    {
        scope.Counters.CountRecycled(old.Wear.Reason);
        RecycleLog.Relieved(scope.Log, scope.Name, old.ShortId, replacement.ShortId, old.Load, old.Channels.Abandoned);
        if (old.State == SlaveState.Idle)
        {
            replacement.ContinueIdleness(old); // otherwise an app without calls would never lose its last slave
        }

        MoveTo(RecycleStage.Resting, null, null);
        old.Wear.IsRelieved = true;
        old.Retire($"recycled: {old.Wear.Reason}", SlaveEnd.Recycled);
        TryBegin();
    }

    /// <summary>The first worn slave, or the slave that has lost most of its places.</summary>
    private Slave? FirstWorn()
    {
        Slave? first = null;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Wear.Reason != WearReason.None && !slave.IsRetired && !slave.IsEnding
                && (first is null || slave.Channels.Abandoned > first.Channels.Abandoned))
            {
                first = slave;
            }
        }

        return first;
    }

    /// <summary>
    /// Ends slaves that cannot run any more jobs and may have to wait long for their turn: another slave is being replaced, which takes as
    /// long as its jobs, or replacements fail, or the app drains. Nothing is lost with these slaves, and the pool launches others when it
    /// needs them.
    /// </summary>
    private void EndUseless()
    {
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.IsUseless && slave != _old) // a replacement for the old slave is on its way
            {
                scope.Counters.CountRecycled(WearReason.AbandonedJobs);
                RecycleLog.EndsUseless(
                    scope.Log, scope.Name, slave.ShortId, slave.Channels.Abandoned, roster.Total, roster.Limit);
                slave.Retire($"recycled: {WearReason.AbandonedJobs}", SlaveEnd.Recycled);
                growth.Grow();
            }
        }
    }

    /// <summary>Arms the timer for the next slave that reaches its age, and for the end of a rest.</summary>
    private void WatchAge()
    {
        long due = scope.Loop.NowMs < _restUntilMs ? _restUntilMs : long.MaxValue;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Wear.Reason == WearReason.None)
            {
                due = Math.Min(due, slave.Wear.Limits.AgeDueMs);
            }
        }

        if (due != long.MaxValue && scope.State == EngineState.Running)
        {
            scope.Loop.Timers.Arm(this, Math.Max(due, scope.Loop.NowMs + 1));
        }
    }

    private void MoveTo(RecycleStage next, Slave? old, Slave? replacement)
    {
        bool legal = (Stage, next) switch
        {
            (RecycleStage.Resting, RecycleStage.Launching) => true,
            (RecycleStage.Launching, RecycleStage.Resting) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"recycling cannot go from {Stage} to {next}");
        }

        Stage = next;
        _old = roster.Replaced = old;
        _replacement = roster.Replacement = replacement;
    }
}
