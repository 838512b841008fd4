using System.Text;
using Cocaine.Fast.Core.Engine.Suspects;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine.Handling;

/// <summary>
/// How jobs end: by their worker's answer, by an error of ours, by their caller, or with their slave. Each gets exactly one answer, and
/// its object goes back to the store once it has left its slave.
/// </summary>
internal sealed class JobAnswers(AppEngine engine)
{
    private readonly JobStore _store = new(engine);

    /// <summary>Jobs on slaves whose answer is not whole yet.</summary>
    public int Running { get; private set; }

    /// <summary>A free job object.</summary>
    public Job Take() => _store.Take();

    /// <summary>One more job goes to a slave.</summary>
    public void CountRun() => Running++;

    /// <summary>A piece of the worker's answer.</summary>
    public static void OnChunk(Job job, in Payload data)
    {
        if (job.State == JobState.Running)
        {
            job.MoveTo(JobState.Streaming);
            job.Engine.Records.Ledger.FirstByte(job.Id, job.Engine.Loop.NowTicks);
            job.Request.Forget();
        }

        if (job.State == JobState.Streaming)
        {
            job.Caller?.OnChunk(job, in data);
        }
    }

    /// <summary>The worker has ended its side; the job leaves its slave.</summary>
    public void OnEnd(Job job, bool failed, in JobError error)
    {
        if (!job.IsAnswered)
        {
            Running--;
            long now = engine.Loop.NowTicks;
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
                engine.Counters.JobsDone++;
                job.Task.Done++;
                engine.Records.Ledger.Ended(job.Id, now, JobOutcome.Done, 0, 0, default);
                job.MoveTo(JobState.Done);
                caller?.OnDone(job);
            }
        }

        Return(job);
    }

    /// <summary>A job's slave is gone.</summary>
    public void OnSlaveLost(Job job, in SlaveLoss loss)
    {
        job.Slave = null;
        if (job.IsAnswered)
        {
            Return(job);
            return;
        }

        engine.Suspects.Judge(job, in loss);
        if (engine.Suspects.MayRunAgain(job))
        {
            RunAgain(job);
            return;
        }

        if (job.Deaths?.Count > engine.RetryLimitOf(job))
        {
            Quarantine(job);
        }

        Fail(job, new JobError(ErrorCodes.Category, ErrorCodes.AppError, Encoding.UTF8.GetBytes(loss.Reason)));
    }

    /// <summary>Answers a job that has no answer yet with an error that is not its worker's.</summary>
    public void Fail(Job job, in JobError error)
    {
        JobState from = job.State;
        bool wasWaitingSuspect = job.IsSuspect && from == JobState.Queued;
        if (from == JobState.Queued)
        {
            engine.Queue.Remove(job);
            job.Task.TimeInQueue.Record(engine.Loop.NowTicks - job.ArrivedTicks);
            job.Task.FailedInQueue++;
        }
        else
        {
            Running--;
            RecordRun(job, engine.Loop.NowTicks);
            job.Task.FailedOnSlave++;
        }

        IJobCaller? caller = job.Caller;
        CountFailure(job, caller is null ? JobOutcome.Cancelled : JobOutcome.Failed, in error);
        job.Caller = null;
        job.MoveTo(JobState.Failed);
        job.Request.Clear();
        job.AnsweredMs = engine.Loop.ListenedMs;
        job.Slave?.Channels.Cancel(job, in error);
        caller?.OnFailed(job, in error);
        if (job.Slave is null)
        {
            _store.Return(job);
        }
        else
        {
            JobBounds.ArmClose(engine, job);
        }

        engine.CheckDrained();
        if (wasWaitingSuspect)
        {
            engine.Suspects.OnLeft();
        }
    }

    private static void RecordRun(Job job, long nowTicks)
    {
        job.Task.TimeInQueue.Record(job.DispatchedTicks - job.ArrivedTicks);
        job.Task.TimeOnSlave.Record(nowTicks - job.DispatchedTicks);
    }

    private void RunAgain(Job job)
    {
        Running--;
        engine.Counters.JobsRetried++;
        job.MoveTo(JobState.Queued);
        job.WaitsSinceTicks = engine.Loop.NowTicks;
        engine.Records.Ledger.Queued(job.Id, job.WaitsSinceTicks);
        engine.Queue.AddAgain(job);
        engine.ArmTimer(job);
        if (job.UnderPressure)
        {
            // The slave that its caller waits for is gone: nobody else would let it go on with its request.
            job.UnderPressure = false;
            job.Caller?.OnRequestPressure(job, false);
        }
    }

    private void Quarantine(Job job)
    {
        engine.Counters.JobsQuarantined++;
        engine.Records.Quarantine.Keep(new QuarantinedJob
        {
            JobId = job.Id,
            Task = job.Task.Name,
            Event = job.Event,
            Policy = job.Policy,
            Headers = job.Request.Headers,
            Request = job.Request,
            IsWhole = job.RequestEnded && job.Request.IsWhole,
            Deaths = job.Deaths!,
        });
    }

    private void Return(Job job)
    {
        _store.Return(job);
        engine.CheckDrained();
    }

    private void CountFailure(Job job, JobOutcome outcome, in JobError error)
    {
        engine.Counters.JobsFailed++;
        engine.Counters.CountError(error.Category == ErrorCodes.Category ? error.Code : 0);
        engine.Records.Ledger.Ended(job.Id, engine.Loop.NowTicks, outcome, error.Category, error.Code, error.Reason);
    }
}
