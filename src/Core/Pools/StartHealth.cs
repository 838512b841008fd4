using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Judges an app's starts: counts failed starts in a row, says how long to wait until the next one and whether the app is broken, and
/// forgets the failures when a slave shows that it can live.
/// </summary>
/// <remarks>
/// A slave that becomes ready proves nothing: a slave that dies a moment later would be started again at once, for ever. A failed start
/// also says nothing about the slaves that work: jobs wait for those slaves, and no job fails because the pool cannot grow.
/// <para>
/// The pools of an app on several loops tell each other of each failed try and of the end of the failures, so all of them count the same
/// tries, and rest at the same time. After a rest one of them has the turn to launch a slave.
/// </para>
/// </remarks>
internal sealed class StartHealth(EngineScope scope, SlaveRoster roster, PoolGrowth growth, Recycler recycler, IPoolOwner owner)
    : WheelTimer
{
    private int _alone;             // failures in a row while the app had no other slave to take jobs
    private ulong _lastFailed;      // the latest slave whose start failed
    private ulong _lastOfTry;       // the latest slave that was launched when the last failure was counted
    private bool _brokenLogged;

    /// <summary>Tries in a row that failed. Slaves that were launched before a failure was known belong to the same try.</summary>
    public int Failures { get; private set; }

    /// <summary>
    /// Why the last start failed, with the last lines that the slave printed: for operators, not for callers. Valid while there are
    /// failures.
    /// </summary>
    public string LastFailure { get; private set; } = "";

    /// <summary>Starts fail again and again. Jobs wait for the slaves that work, if there are any.</summary>
    public bool IsFailing => Failures >= EngineLimits.FailuresUntilBroken;

    /// <summary>
    /// Starts fail, and no slave is left to take a job, here or with nothing to do on another loop of the app: waiting jobs get 500.
    /// </summary>
    public bool IsBroken => _alone >= EngineLimits.FailuresUntilBroken && roster.Working == 0 && scope.Siblings is not { HaveRoom: true };

    /// <summary>
    /// Slaves launched since the last failure that are starting, or are ready and have not proven themselves yet. While starts fail there
    /// is one at a time.
    /// </summary>
    public int OnTrial
    {
        get
        {
            int count = 0;
            foreach (Slave slave in roster.Slaves)
            {
                count += slave.Generation > _lastFailed && !slave.IsEnding && !slave.IsProven ? 1 : 0;
            }

            return count;
        }
    }

    /// <summary>Judges a slave's end.</summary>
    /// <param name="slave">The dead slave.</param>
    /// <param name="before">The state of the slave before its death.</param>
    /// <param name="hadJobs">The slave had jobs.</param>
    public StartVerdict VerdictOn(Slave slave, SlaveState before, bool hadJobs)
    {
        if (before == SlaveState.Starting)
        {
            return StartVerdict.Failed;
        }

        if (before == SlaveState.Draining && !slave.AskedToEnd)
        {
            return StartVerdict.None;
        }

        if (slave.IsProven)
        {
            return before == SlaveState.Draining ? StartVerdict.None : StartVerdict.Good;
        }

        // A worker beats before it reads its first job: a worker that never beat has not run the jobs that it was given.
        return hadJobs && slave.HasBeaten ? StartVerdict.FailedWithJobs : StartVerdict.Failed;
    }

    /// <summary>A slave is ready: it may show that it can live.</summary>
    public void OnReady()
    {
        if (Failures > 0)
        {
            Watch();
        }
    }

    /// <summary>A start failed: the pool rests for a while, and waiting jobs fail when no other slave can run them.</summary>
    public void OnFailed(Slave slave, StartVerdict verdict, string cause)
    {
        LookForProof(); // a good start in between: the failures are not in a row
        LastFailure = cause;
        _lastFailed = Math.Max(_lastFailed, slave.Generation);
        bool isNew = slave.Generation > _lastOfTry;
        if (isNew)
        {
            _lastOfTry = roster.LastGeneration;
            Failures++;
            _alone += verdict == StartVerdict.Failed && roster.Working == 0 ? 1 : 0;
        }

        bool hadJobs = verdict == StartVerdict.FailedWithJobs;
        long pauseMs = Rest(hadJobs, isNew);
        if (isNew || scope.Siblings is { HasTurn: true })
        {
            scope.Siblings?.TellStarts(Failures, hadJobs, cause);
        }

        Watch();
        if (slave.WasReady)
        {
            recycler.Rest(pauseMs); // a good slave would give its place to a slave that dies
        }

        if (IsBroken)
        {
            OnBroken(cause);
        }
        else if (isNew && roster.Working > 0)
        {
            scope.Counters.Reasons.Count(PoolDecision.HoldAfterFailure);
            PoolLog.CannotGrow(scope.Log, scope.Name, Failures, roster.Working, scope.Queue.Count, pauseMs,
                StartFailures.ShortOf(cause));
        }
    }

    /// <summary>A pool on another loop of the app tells how starts go there; the arguments are those of its telling.</summary>
    public void OnTold(int failures, bool hadJobs, string cause)
    {
        if (failures == 0)
        {
            Clear();
        }
        else if (failures > Failures)
        {
            Failures = failures;
            LastFailure = cause;
            _lastFailed = _lastOfTry = roster.LastGeneration; // its slaves prove nothing about later starts, and belong to the same try
            _alone += !hadJobs && roster.Working == 0 ? 1 : 0;
            _ = Rest(hadJobs, anew: true);
            if (IsBroken)
            {
                owner.OnBroken(cause); // the log of the app has it already
            }

            PassTurn();
        }

        growth.Grow(); // the turn may be free
    }

    /// <summary>The turn to launch a slave is over without an outcome: the slave did not start, or was told to end.</summary>
    public void PassTurn()
    {
        if (OnTrial == 0 && scope.Siblings is { HasTurn: true } siblings)
        {
            siblings.TellStarts(Failures, hadJobs: false, LastFailure);
        }
    }

    /// <summary>
    /// A slave has ended, and its start had not failed. When it was a good one, its place is free for others, so earlier failures are no
    /// reason to wait.
    /// </summary>
    public void OnEnded(StartVerdict verdict)
    {
        if (verdict == StartVerdict.Good)
        {
            Forget();
        }

        PassTurn();
    }

    /// <summary>Forgets the failures when a slave that was launched after them has shown that it can live.</summary>
    public void LookForProof()
    {
        if (Failures == 0)
        {
            return;
        }

        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Generation > _lastFailed && (slave.State is SlaveState.Idle or SlaveState.Busy) && slave.IsProven)
            {
                Forget();
                return;
            }
        }
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        LookForProof();
        if (Failures > 0)
        {
            Watch();
        }
        else
        {
            growth.Grow(); // jobs may have waited for the end of the pause
        }
    }

    /// <summary>Arms the timer for the time at which the next slave will have lived for long enough.</summary>
    private void Watch()
    {
        long due = long.MaxValue;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Generation > _lastFailed && (slave.State is SlaveState.Idle or SlaveState.Busy))
            {
                due = Math.Min(due, slave.ReadyMs + scope.Settings.MinUptimeMs);
            }
        }

        if (due != long.MaxValue && scope.State != EngineState.Stopped)
        {
            scope.Loop.Timers.Arm(this, Math.Max(due, scope.Loop.NowMs + 1));
        }
    }

    private void OnBroken(string cause)
    {
        if (!_brokenLogged)
        {
            _brokenLogged = true;
            PoolLog.Broken(scope.Log, scope.Name, Failures, StartFailures.ShortOf(cause));
        }

        owner.OnBroken(cause);
    }

    /// <summary>The pool launches no slave for a while.</summary>
    private long Rest(bool hadJobs, bool anew)
    {
        long pauseMs = hadJobs ? StartPauses.AfterJobsMs(Failures) : StartPauses.AfterMs(Failures);
        if (pauseMs > 0)
        {
            growth.Pause(pauseMs, anew);
        }

        return pauseMs;
    }

    private void Forget()
    {
        if (Failures > 0)
        {
            scope.Siblings?.TellStarts(failures: 0, hadJobs: false, "");
        }

        Clear();
    }

    private void Clear()
    {
        Failures = _alone = 0;
        _lastOfTry = 0; // the next failure begins a new row
        LastFailure = "";
        scope.Loop.Timers.Cancel(this);
        growth.EndPause();
        if (_brokenLogged)
        {
            _brokenLogged = false;
            PoolLog.Recovered(scope.Log, scope.Name);
        }
    }
}
