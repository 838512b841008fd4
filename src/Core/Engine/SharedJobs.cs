using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Engine;

/// <summary>A job as another engine of its version runs it.</summary>
/// <param name="Id">The job's number.</param>
/// <param name="Task">The task's name.</param>
/// <param name="JobTimeoutMs">Longest run, ms; 0 = none.</param>
/// <param name="Event">The event to call, UTF-8.</param>
/// <param name="Policy">The caller's wishes; the deadline is kept at home.</param>
internal readonly record struct JobCall(ulong Id, string Task, long JobTimeoutMs, byte[] Event, JobPolicy Policy);

/// <summary>
/// Jobs that go to another engine of the app, and guests: jobs that have come from there. A job counts at home, where its caller is; the
/// guest counts nowhere.
/// </summary>
internal sealed class SharedJobs(EngineScope scope, JobStore store, SlavePool pool, JobBounds bounds, JobEndings endings, NextJobs next)
{
    /// <summary>Takes the next job with a whole request out of the queue, for a sibling.</summary>
    /// <param name="job">The job. Null when the job's time was up.</param>
    /// <returns>False when no such job waits.</returns>
    public bool TryTakeAway(out Job? job)
    {
        if (!next.TryTakeWhole(out job))
        {
            return false;
        }

        if (job is not null)
        {
            job.DispatchedNs = scope.Loop.NowNs;
            job.MoveTo(JobState.Away);
            endings.CountRun();
            bounds.Arm(job);
        }

        return true;
    }

    /// <summary>A sibling had no room for the job: it is the next one here, as it was.</summary>
    public void TakeBack(Job job)
    {
        job.Runner = null;
        endings.OnComeBack(job);
        pool.OnTakenBack();
        pool.Growth.Grow(); // while the job was away, nobody looked whether it is worth a slave
    }

    /// <summary>A sibling has answered the job, whose chunks the caller has got.</summary>
    public void End(Job job, bool failed, in JobError error) => endings.OnEnd(job, failed, in error);

    /// <summary>Makes a guest; the caller adds its request.</summary>
    public Job MakeGuest(IJobCaller caller, TaskMonitor task, in JobCall call, ReadOnlySpan<byte> headers)
    {
        Job job = store.Take();
        job.Begin(call.Id, caller, 0, task, call.Event, call.Policy, scope.Loop.NowNs);
        job.IsGuest = true;
        job.RequestEnded = true;
        if (!headers.IsEmpty)
        {
            job.Request.SetHeaders(headers);
        }

        return job;
    }

    public void RunGuest(Job job, Slave slave)
    {
        endings.CountRun();
        slave.Run(job);
        bounds.Arm(job);
    }

    /// <summary>Nobody wants the guest's answer any more.</summary>
    public void CancelGuest(Job job, in JobError error)
    {
        if (!job.IsAnswered)
        {
            job.Caller = null;
            endings.Fail(job, in error);
        }
    }
}
