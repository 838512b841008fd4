using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// Ends jobs: by the worker's answer, by an error of the node, by the caller, or with the slave. Each job gets exactly one answer, and its
/// object goes back to the store once the job has left its slave.
/// </summary>
internal sealed class JobEndings(EngineScope scope, JobStore store, SlavePool pool, JobBounds bounds, IPoolOwner owner)
{
    /// <summary>Jobs on slaves without a whole answer yet.</summary>
    public int Running { get; private set; }

    /// <summary>Running jobs that are at other nodes.</summary>
    public int AtNodes { get; set; }

    /// <summary>One more job goes to a slave.</summary>
    public void CountRun() => Running++;

    /// <summary>A job that its slave has not begun, and will not, waits as it did before.</summary>
    public void OnTakenBack(Job job)
    {
        scope.Counters.JobsTakenBack++;
        if (job.State == JobState.Placed)
        {
            job.MoveTo(JobState.Queued);
            scope.Records.Ledger.TakenBack(job.Id, job.Runs);
            scope.Queue.PutBack(job);
        }
        else
        {
            Running--;
            job.Runs--;
            job.MoveTo(JobState.Queued);
            scope.Records.Ledger.TakenBack(job.Id, job.Runs);
            scope.Records.Ledger.Queued(job.Id, job.WaitsSinceNs);
            scope.Queue.PutBackRun(job);
        }

        bounds.Arm(job);
        scope.Siblings?.OnWaits();
        EndPressure(job);
    }

    /// <summary>A job that was away comes back, and waits as it did before: no slave has begun it.</summary>
    public void OnComeBack(Job job)
    {
        Running--;
        job.MoveTo(JobState.Queued);
        scope.Queue.PutBackRun(job);
        bounds.Arm(job);
        scope.Siblings?.OnWaits();
    }

    /// <summary>A piece of the worker's answer.</summary>
    public void OnChunk(Job job, in Payload data)
    {
        if (job.State == JobState.Running)
        {
            job.MoveTo(JobState.Streaming);
            scope.Records.Ledger.FirstByte(job.Id, scope.Loop.NowNs);
            job.Request.Forget();
        }

        if (job.State == JobState.Streaming)
        {
            job.Caller?.OnChunk(job, in data);
        }
        else if (job.State == JobState.Away)
        {
            OnChunkOfPeer(job, in data);
        }
    }

    /// <summary>The worker has ended its side; the job leaves its slave.</summary>
    public void OnEnd(Job job, bool failed, in JobError error)
    {
        if (!job.IsAnswered)
        {
            Running--;
            AtNodes -= job.Runner is IPeer ? 1 : 0;
            long now = scope.Loop.NowNs;
            RecordRun(job, now);
            IJobCaller? caller = job.Caller;
            job.Caller = null;
            if (failed)
            {
                job.Task.FailedOnSlave++;
                CountFailure(job, JobOutcome.Failed, in error);
                job.MoveTo(JobState.Failed);
                caller?.OnFailed(job, in error);
            }
            else
            {
                if (job.State != JobState.Away)
                {
                    scope.Mean.Add(now - job.DispatchedNs); // the mean of the slaves here
                }

                CountDone(job, now);
                job.MoveTo(JobState.Done);
                caller?.OnDone(job);
            }
        }

        Return(job);
    }

    /// <summary>A job's slave is gone.</summary>
    public void OnSlaveLost(Job job, in SlaveLoss loss)
    {
        job.Runner = null;
        if (job.IsAnswered)
        {
            Return(job);
            return;
        }

        if (pool.Suspects.MayRunAgain(job))
        {
            RunAgain(job);
            return;
        }

        if (job.Deaths?.Count > scope.Settings.RetryLimitOf(job.Policy.RetryLimit))
        {
            Quarantine(job);
        }

        Fail(job, new JobError(ErrorCodes.Category, ErrorCodes.AppError, Encoding.UTF8.GetBytes(loss.Reason)));
    }

    /// <summary>Answers a job that has no answer yet with an error that does not come from its worker.</summary>
    public void Fail(Job job, in JobError error)
    {
        bool tookBack = job.State == JobState.Placed && TakeBack(job);
        JobState from = job.State;
        bool wasWaitingSuspect = job.IsSuspect && from == JobState.Queued;
        if (from == JobState.Queued)
        {
            scope.Queue.Remove(job);
            job.Task.TimeInQueue.Record(scope.Loop.NowNs - job.ArrivedNs);
            job.Task.FailedInQueue++;
        }
        else
        {
            Running--;
            AtNodes -= job.Runner is IPeer ? 1 : 0; // a job that has just come back has none
            RecordRun(job, scope.Loop.NowNs);
            job.Task.FailedOnSlave++;
        }

        IJobCaller? caller = job.Caller;
        CountFailure(job, caller is null ? JobOutcome.Cancelled : JobOutcome.Failed, in error);
        job.Caller = null;
        job.MoveTo(JobState.Failed);
        job.Request.Clear();
        job.KeptRequest.Clear();
        job.AnsweredMs = scope.Loop.ListenedMs;
        if (from == JobState.Away)
        {
            (job.Runner as IRunnerElsewhere)?.Cancel(job, in error); // a job that has just come back has none
        }

        job.Slave?.Channels.Cancel(job, in error);
        caller?.OnFailed(job, in error);
        if (job.Runner is null)
        {
            store.Return(job);
        }
        else
        {
            bounds.ArmClose(job);
        }

        owner.CheckDrained();
        if (wasWaitingSuspect)
        {
            pool.Suspects.OnLeft();
        }

        if (tookBack)
        {
            pool.OnTakenBack();
        }
    }

    /// <summary>
    /// A placed job is to be answered: it comes back from its slave, with those that were placed after it, or it has begun by now and runs.
    /// </summary>
    /// <returns>Others have come back, and wait for a slave.</returns>
    private static bool TakeBack(Job job)
    {
        Slave slave = job.Slave!;
        int taken = slave.Ahead.TakeBack(job);
        if (job.State == JobState.Placed)
        {
            slave.Ahead.Begin(job);
            return taken > 0;
        }

        return taken > 1;
    }

    private void OnChunkOfPeer(Job job, in Payload data)
    {
        if (!job.HasAnswerBegun)
        {
            job.HasAnswerBegun = true;
            scope.Records.Ledger.FirstByte(job.Id, scope.Loop.NowNs);
            job.Request.Forget();
        }

        job.Caller?.OnChunk(job, in data);
    }

    private static void RecordRun(Job job, long nowNs)
    {
        job.Task.TimeInQueue.Record(job.DispatchedNs - job.ArrivedNs);
        job.Task.TimeOnSlave.Record(nowNs - job.DispatchedNs);
    }

    /// <summary>The runner of a job is gone, and the job waits for another one.</summary>
    public void RunAgain(Job job)
    {
        Running--;
        scope.Counters.JobsRetried++;
        job.MoveTo(JobState.Queued);
        job.WaitsSinceNs = scope.Loop.NowNs;
        scope.Records.Ledger.Queued(job.Id, job.WaitsSinceNs);
        scope.Queue.AddAgain(job);
        bounds.Arm(job);
        scope.Siblings?.OnWaits();
        EndPressure(job);
    }

    /// <summary>The slave that the job's caller waits for has the job no more, and no other slave would let the caller go on.</summary>
    private static void EndPressure(Job job)
    {
        if (job.UnderPressure)
        {
            job.UnderPressure = false;
            job.Caller?.OnRequestPressure(job, false);
        }
    }

    private void Quarantine(Job job)
    {
        scope.Counters.JobsQuarantined++;
        scope.Records.Quarantine.Keep(new QuarantinedJob
        {
            JobId = job.Id,
            Task = job.Task.Name,
            Event = job.Event,
            Policy = job.Policy,
            Headers = HeaderSet.WithoutSecrets(job.Request.Headers),
            Request = job.Request,
            IsWhole = job.RequestEnded && job.Request.IsWhole,
            Deaths = job.Deaths!,
        });
    }

    private void Return(Job job)
    {
        store.Return(job);
        owner.CheckDrained();
    }

    private void CountDone(Job job, long nowNs)
    {
        if (!job.IsGuest)
        {
            scope.Counters.JobsDone++;
            job.Task.Done++;
            scope.Records.Ledger.Ended(job.Id, nowNs, JobOutcome.Done, 0, 0, default);
        }
    }

    private void CountFailure(Job job, JobOutcome outcome, in JobError error)
    {
        if (job.IsGuest)
        {
            return; // the job ends at home
        }

        scope.Counters.JobsFailed++;
        scope.Counters.CountError(error.Category == ErrorCodes.Category ? error.Code : 0);
        scope.Records.Ledger.Ended(job.Id, scope.Loop.NowNs, outcome, error.Category, error.Code, error.Reason);
    }
}
