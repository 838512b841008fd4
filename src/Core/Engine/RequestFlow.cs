using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// Requests on their way: kept while their jobs wait, kept and passed on while their jobs run. Callers that are faster than their slave are
/// told to wait, and their jobs fail when they do not wait.
/// </summary>
internal sealed class RequestFlow(EngineScope scope, SlavePool pool, Admission admission)
{
    /// <summary>Takes more of a job's request.</summary>
    public void Add(Job job, in Payload chunk)
    {
        switch (job.State)
        {
            case JobState.Queued:
                KeepWaiting(job, in chunk);
                return;
            case JobState.Running:
                KeepForRetry(job, in chunk);
                Forward(job, in chunk);
                return;
            case JobState.Streaming:
                Forward(job, in chunk);
                return;
            default:
                return; // the job is answered: the caller writes on, and the node drops the chunk
        }
    }

    /// <summary>The request is whole.</summary>
    public void End(Job job)
    {
        job.RequestEnded = true;
        if (job.State is JobState.Running or JobState.Streaming)
        {
            job.Slave!.Channels.EndRequest(job);
        }
        else if (job is { State: JobState.Queued, Policy.Urgent: true } && scope.Queue.Placed > 0)
        {
            pool.Ahead.PlaceUrgent();
        }
        else if (job.State == JobState.Queued)
        {
            pool.Ahead.Place();
        }
    }

    private void KeepWaiting(Job job, in Payload chunk)
    {
        if (job.Request.SizeBytes + (long)chunk.Length > EngineLimits.MaxWaitingRequestBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the request is larger than what is kept of a waiting job");
            return;
        }

        long limit = scope.Settings.QueueBytes;
        if (limit > 0 && scope.Queue.SizeBytes + chunk.Length > limit)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, Admission.FullReason(scope.Queue.SizeBytes), admission.RetryAfterS());
            return;
        }

        int before = job.Request.SizeBytes;
        job.Request.Add(in chunk);
        scope.Queue.CountGrowth(job, job.Request.SizeBytes - before);
    }

    private void KeepForRetry(Job job, in Payload chunk)
    {
        if (!job.Request.IsWhole)
        {
            return;
        }

        // A slave that tells what it has begun may die before it begins this: then the job waits again, whatever its retry-limit.
        Slave slave = job.Slave!;
        bool mayComeBack = slave.Link.TellsBegun || !slave.HasBeaten;
        bool isLastRun = !scope.Records.KeepsRequests && !mayComeBack && pool.Suspects.IsLastRun(job);
        if (isLastRun || job.Request.SizeBytes + (long)chunk.Length > EngineLimits.MaxRetryRequestBytes)
        {
            job.Request.Forget();
            return;
        }

        job.Request.Add(in chunk);
    }

    private void Forward(Job job, in Payload chunk)
    {
        Slave slave = job.Slave!;
        slave.Channels.WriteChunk(job, in chunk);
        long backlog = slave.Link.BacklogBytes;
        if (backlog > EngineLimits.HighBacklogBytes)
        {
            OnBacklog(job, backlog);
        }
    }

    private void OnBacklog(Job job, long backlog)
    {
        if (backlog > EngineLimits.MaxBacklogBytes)
        {
            job.Engine.Fail(job, ErrorCodes.ResourceError, "the app reads this request too slowly and its caller did not wait");
        }
        else if (!job.UnderPressure)
        {
            job.Slave!.Pressure.Press(job);
        }
    }
}
