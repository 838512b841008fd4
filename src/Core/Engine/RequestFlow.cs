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
            case JobState.Away when job.Runner is IPeer peer:
                ForwardedJobs.WriteChunk(job, peer, in chunk);
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
            if (job.KeptRequest.SizeBytes == 0) // otherwise the end comes after the kept chunks
            {
                SendEnd(job);
            }

            if (pool.Roster.Idle > 0)
            {
                pool.Ahead.OnWhole(job.Slave!);
            }
        }
        else if (job is { State: JobState.Away, Runner: IPeer peer })
        {
            peer.EndRequest(job);
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

    /// <summary>A worker's handler has much of its request unread, or has read enough of it.</summary>
    public void OnHold(Job job, bool holds)
    {
        if (job.NodeSideEnded || (job.RequestWay == RequestWay.Held) == holds)
        {
            return; // nothing of the request is left to send
        }

        if (holds)
        {
            job.RequestWay = RequestWay.Held;
            job.RequestHeldNs = scope.Loop.NowNs;
        }
        else if (job.RequestHeld)
        {
            job.RequestWay = RequestWay.Portions;
            job.PortionBytes = PortionOf(scope.Loop.NowNs - job.RequestHeldNs);
            SendPortion(job);
        }
    }

    /// <summary>The slave has read the last portion of a job's request.</summary>
    public void OnRead(Job job)
    {
        if (job.KeptRequest.SizeBytes > 0)
        {
            SendPortion(job);
        }
        else
        {
            OnReadAll(job);
        }
    }

    /// <summary>The bytes of a portion for a handler that has read enough in so long to go on.</summary>
    internal static int PortionOf(long heldNs)
    {
        const long ReadBytes = FlowControl.HighBytes - FlowControl.LowBytes;
        long bytes = ReadBytes * EngineLimits.RequestPortionNs / Math.Max(heldNs, 1);
        return (int)Math.Clamp(bytes, EngineLimits.RequestPortionBytes, EngineLimits.MaxBacklogBytes);
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
            job.Engine.Fail(
                job, ErrorCodes.ResourceError, Admission.FullReason(scope.Queue.SizeBytes), admission.RetryAfterS(), ErrorCause.QueueFull);
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
        if (job.RequestHeld)
        {
            KeepHeld(job, in chunk);
            return;
        }

        Slave slave = job.Slave!;
        slave.Channels.WriteChunk(job, in chunk);
        CheckBacklog(job, slave.Link.BacklogBytes);
    }

    private void KeepHeld(Job job, in Payload chunk)
    {
        if (job.KeptRequest.SizeBytes + (long)chunk.Length <= EngineLimits.MaxBacklogBytes)
        {
            job.KeptRequest.Add(in chunk);
            CheckBacklog(job, job.KeptRequest.SizeBytes);
        }
        else
        {
            CheckBacklog(job, long.MaxValue);
        }
    }

    /// <summary>The worker takes the rest of a request: as many of the kept chunks as it gets at once.</summary>
    private static void SendPortion(Job job)
    {
        Slave slave = job.Slave!;
        int sentBytes = 0;
        while (sentBytes < job.PortionBytes && job.KeptRequest.TryPeek(out Payload chunk))
        {
            slave.Channels.WriteChunk(job, in chunk);
            if (job.IsAnswered)
            {
                return; // a caller that had room meanwhile has given it up
            }

            sentBytes += chunk.Length;
            job.KeptRequest.DropFirst();
        }

        if (job.RequestEnded && job.KeptRequest.SizeBytes == 0)
        {
            SendEnd(job);
        }
        else if (sentBytes < job.PortionBytes)
        {
            OnReadAll(job); // before it is read: there is room for more
        }
        else
        {
            slave.Pressure.Await(job, slave.Link);
            if (job.KeptRequest.SizeBytes <= job.PortionBytes)
            {
                EaseIfRoom(job); // one more portion is here, and the caller may send those behind it
            }
        }
    }

    /// <summary>Nothing is kept, and the slave takes more: it is the faster one.</summary>
    private static void OnReadAll(Job job)
    {
        job.RequestWay = RequestWay.Open;
        EaseIfRoom(job);
    }

    /// <summary>The end comes after all of the request: nothing is left to hold.</summary>
    private static void SendEnd(Job job)
    {
        job.Slave!.Channels.EndRequest(job);
        if (job.RequestHeld)
        {
            job.RequestWay = RequestWay.Open;
            EaseIfRoom(job);
        }
    }

    /// <summary>A slave that has no room now eases the job later, with its others.</summary>
    private static void EaseIfRoom(Job job)
    {
        Slave slave = job.Slave!;
        if (job.UnderPressure && slave.Link.BacklogBytes <= EngineLimits.HighBacklogBytes)
        {
            slave.Pressure.Ease(job);
        }
    }

    private static void CheckBacklog(Job job, long backlog)
    {
        if (backlog <= EngineLimits.HighBacklogBytes)
        {
            return;
        }

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
