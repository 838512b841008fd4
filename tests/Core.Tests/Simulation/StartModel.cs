using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>
/// What must be true of an app's starts, kept from what slaves do: after one that failed the next comes after a pause, or by somebody's
/// proof that slaves can live; and jobs that wait are not forgotten.
/// </summary>
internal sealed class StartModel(SimWorld world)
{
    private long _failedMs = long.MinValue;   // when a start failed last; long.MinValue when another one has been good since
    private ulong _failed;                    // the latest slave whose start failed
    private ulong _lastOfTry;                 // the latest slave that was launched when that one failed
    private long _pauseMs = long.MinValue;    // the first of the latest failures of which each came in the pause of the one before
    private long _lastMs = long.MinValue;     // the latest of them
    private bool _failsNow;
    private string? _fault;                   // told with the next check: a launch must not throw

    /// <summary>A slave is launched.</summary>
    public void OnLaunch(Slave slave)
    {
        // A replacement has its own pauses, so this is of apps that recycle nothing.
        if (_failedMs != long.MinValue && !Recycles && !world.Links.Exists(IsProof) && world.NowMs < _failedMs + EngineLimits.FirstRestartPauseMs)
        {
            _fault ??= $"slave {slave.Generation} is launched {world.NowMs - _failedMs} ms after a start that failed";
        }
    }

    /// <summary>A slave is about to die, and the engine does not know it yet.</summary>
    public void OnDeath(SimLink link)
    {
        bool wasGood = (IsGood(link) && !link.TerminateAsked) || IsProof(link);
        _failsNow = !link.IsReady && link.Slave.State == SlaveState.Starting
            || (link.IsReady && (!link.TerminateAsked || link.Slave.AskedToEnd) && !IsGood(link)
                && (JobModel.LostWith(link).Count == 0 || !link.Slave.HasBeaten));
        bool diedWithJobs = link.Slave.WasReady && !IsGood(link) && !_failsNow;
        if (wasGood)
        {
            _failedMs = long.MinValue;
        }
        else if (diedWithJobs)
        {
            BeginPause(); // it may have died of them, and its pause is another one
        }
        else if (_failsNow)
        {
            // Slaves that were launched before a failure was known are one try with it, and do not make its pause longer.
            bool isNewTry = link.Slave.Generation > _lastOfTry || _failedMs == long.MinValue || world.Links.Exists(IsProof);
            _failed = Math.Max(_failed, link.Slave.Generation);
            if (isNewTry)
            {
                BeginPause();
                _failedMs = _pauseMs;
                _lastOfTry = world.Engine.Pool.Roster.LastGeneration;
            }
        }
    }

    private void BeginPause()
    {
        if (_lastMs == long.MinValue || world.NowMs >= _lastMs + EngineLimits.FirstRestartPauseMs)
        {
            _pauseMs = world.NowMs;
        }

        _lastMs = world.NowMs;
    }

    /// <summary>The engine has heard of it: here faults are built in.</summary>
    public void AfterDeath()
    {
        SlavePool pool = world.Engine.Pool;
        if (world.Engine.State != EngineState.Running || world.Engine.Queue.Unplaced == 0)
        {
            return;
        }

        if (world.Links.Exists(JobModel.Works) && world.Sabotages(Sabotage.BreaksTooEarly))
        {
            world.Engine.OnBroken("exit code 1");
            return;
        }

        if (!_failsNow || !IsWanting() || pool is not { Roster: { Starting: 0, FreePlaces: > 0 }, Growth.IsLooking: false } || pool.Growth.NextTryMs == 0)
        {
            return;
        }

        bool isPause = _failedMs != long.MinValue && world.NowMs < _failedMs + EngineLimits.FirstRestartPauseMs;
        bool canSee = isPause && !Recycles && world.Room > 0 && !world.Links.Exists(IsProof) && pool.Roster.Idle == 0;
        if (canSee && world.Sabotages(Sabotage.StartsAtOnce))
        {
            pool.Starts.OnEnded(StartVerdict.Good);
            pool.Growth.Grow();
        }
        else if (!world.Links.Exists(IsAboutToTell) && !pool.Starts.IsArmed && world.Sabotages(Sabotage.ForgetsToGrow))
        {
            pool.Growth.EndPause();
        }
    }

    /// <summary>
    /// When jobs wait and there is a place for a slave, one starts or is on trial, or it is known when one will be tried. The end of a slave
    /// that is about to go makes the pool look again.
    /// </summary>
    public void CheckGrowth()
    {
        if (_fault is not null)
        {
            throw new BrokenPromise(_fault);
        }

        SlavePool pool = world.Engine.Pool;
        bool isTried = pool.Roster.Starting > 0 || pool.Growth.NextTryMs > 0 || pool.Growth.IsLooking || pool.Starts is { IsArmed: true, OnTrial: > 0 };
        if (world.Engine.State != EngineState.Stopped && IsWanting() && !isTried && pool.Roster.FreePlaces > 0
            && !world.Links.Exists(IsAboutToTell))
        {
            throw new BrokenPromise($"{world.Engine.Queue.Count} requests wait, and nobody starts a slave (total {pool.Roster.Total}, working {pool.Roster.Working}, "
                + $"leaving {pool.Roster.Leaving}, starts failed {pool.Starts.Failures}, on trial {pool.Starts.OnTrial})");
        }
    }

    /// <summary>Its end, or its proof, is near, and makes the pool look again.</summary>
    private bool IsAboutToTell(SimLink link) =>
        link.IsKilled || link.Slave.State == SlaveState.Draining || (link.Slave.Generation > _failed && !IsGood(link));

    /// <summary>A suspect that waits while slaves work gets one of them once it is free: nobody has to start another one for it.</summary>
    private bool IsWanting()
    {
        Core.Jobs.JobQueue queue = world.Engine.Queue;
        return (queue.Usual > 0 || world.Engine.Pool.Roster.Working == 0) && queue.SlavesFor(world.Engine.Scope.Concurrency) > world.Engine.Pool.Roster.Idle;
    }

    private bool Recycles => world.Settings is not { MaxJobs: 0, MaxAgeMs: 0, MaxRssBytes: 0 } || world.Engine.Counters.JobsAbandoned > 0;

    private bool IsProof(SimLink link) => link.Slave.Generation > _failed && link.IsReady && IsGood(link);

    /// <summary>One that says that it is ready after it was killed is not.</summary>
    private bool IsGood(SimLink link) =>
        link.Slave.WasReady && (link.Slave.JobsDone > 0 || world.NowMs >= link.ReadyMs + world.Settings.MinUptimeMs);
}
