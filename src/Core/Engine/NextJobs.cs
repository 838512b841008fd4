using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Takes jobs out of the queue for slaves. A job whose time was up is answered instead, and does not run.</summary>
internal sealed class NextJobs(EngineScope scope, JobBounds bounds, JobEndings endings)
{
    private bool _servedNewest;  // the order of the queue at the last look
    private long _orderLogDueMs;

    /// <summary>The next job to run, for a slave with room. Null when the job's time was up.</summary>
    public Job? TakeNext() => Take(Next()!);

    /// <summary>Takes a waiting suspect for a slave that is kept for it. Null when the suspect's time was up.</summary>
    public Job? TakeSuspect(Job suspect) => Take(suspect);

    /// <summary>The next usual job can stand ahead of its turn: its request is whole. Valid while one waits.</summary>
    public bool IsWhole => Next() is { IsWhole: true };

    /// <summary>
    /// Takes a job for a slave that gets the job ahead of its turn: the next one with a whole request. It passes those that are unfinished,
    /// which keep their places, but no job more often than it may be passed.
    /// </summary>
    /// <param name="job">The job, placed as the queue counts. Null when the job's time was up.</param>
    /// <returns>False when no such job waits.</returns>
    public bool TryTakeAhead(out Job? job)
    {
        Job? first = Next();
        Job? next = first is null || first.Passed >= EngineLimits.MostPassed ? null : scope.Queue.NextWhole(scope.Loop.NowNs);
        job = OrExpire(next);
        if (job is not null)
        {
            first!.Passed += first == job ? 0 : 1;
            scope.Queue.Place(job);
        }

        return next is not null;
    }

    /// <summary>
    /// Takes a job out of the queue that another loop can run: the next one with a whole request. It passes those that are unfinished, for
    /// which a slave of this loop is the only one.
    /// </summary>
    /// <param name="job">The job. Null when the job's time was up.</param>
    /// <returns>False when no such job waits.</returns>
    public bool TryTakeWhole(out Job? job)
    {
        Job? next = Next() is null ? null : scope.Queue.NextWhole(scope.Loop.NowNs);
        job = OrExpire(next);
        if (job is not null)
        {
            scope.Queue.Remove(job);
        }

        return next is not null;
    }

    /// <summary>A job that waited runs: other bounds hold from now on.</summary>
    public void CountRun(Job job)
    {
        endings.CountRun();
        if (scope.Settings.QueueTimeoutMs > 0 || job.Policy.SilenceTimeoutMs > 0 || job.Task.JobTimeoutMs > 0)
        {
            bounds.Arm(job, JobState.Running);
        }
    }

    private Job? OrExpire(Job? job) => job is null || bounds.TryExpire(job, scope.Loop.NowMs) ? null : job;

    private Job? Take(Job job)
    {
        if (bounds.TryExpire(job, scope.Loop.NowMs))
        {
            return null;
        }

        scope.Queue.Remove(job);
        CountRun(job);
        return job;
    }

    private Job? Next()
    {
        Job? job = scope.Queue.Next(scope.Loop.NowNs);
        if (scope.Queue.ServesNewest != _servedNewest)
        {
            OnOrderChanged();
        }

        return job;
    }

    /// <summary>The queue's order has changed. The log gets few lines about this, however often the order changes.</summary>
    private void OnOrderChanged()
    {
        JobQueue queue = scope.Queue;
        _servedNewest = queue.ServesNewest;
        if (_servedNewest)
        {
            scope.Counters.Overloads++;
        }

        if (scope.Loop.NowMs >= _orderLogDueMs)
        {
            _orderLogDueMs = scope.Loop.NowMs + EngineLimits.OverloadLogMs;
            long waitMs = Clock.MsOf(scope.Loop.NowNs - (queue.Oldest?.ArrivedNs ?? scope.Loop.NowNs));
            PoolLog.OrderChanges(
                scope.Log, scope.Name, _servedNewest ? "newest" : "oldest", queue.Count, waitMs, scope.Settings.QueueTargetMs,
                scope.Counters.Overloads);
        }
    }
}
