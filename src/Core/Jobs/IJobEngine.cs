using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>The engine of a job: callers, timers and slaves report events of the job to it. All calls come on the engine's loop.</summary>
internal interface IJobEngine
{
    /// <summary>Takes more of a job's request.</summary>
    void AddChunk(Job job, in Payload chunk);

    /// <summary>The request is whole.</summary>
    void EndRequest(Job job);

    /// <summary>The caller went away, or is sent away: the answer goes nowhere, and the worker is told.</summary>
    /// <param name="job">The job to cancel.</param>
    /// <param name="reason">The reason, for the worker.</param>
    /// <param name="clientGone">The caller's connection has ended.</param>
    void Cancel(Job job, ReadOnlySpan<byte> reason, bool clientGone = false);

    /// <summary>The caller gave up with an error of its own: the answer goes nowhere, and the worker is told the error.</summary>
    void Cancel(Job job, in JobError error);

    /// <summary>Answers a job that has no answer yet with one of the node's errors.</summary>
    void Fail(Job job, int code, string reason, int retryAfterS = 0, ErrorCause cause = ErrorCause.Other);

    /// <summary>The nearest of the job's bounds is due.</summary>
    void OnJobTimer(Job job, long nowMs);

    /// <summary>The worker has begun a placed job, or does so now: the job runs.</summary>
    void OnBegun(Job job);

    /// <summary>
    /// A job that its worker has not begun, and will not, has left its slave: one that was placed, or that was given to it. The job waits
    /// as it did before.
    /// </summary>
    void OnTakenBack(Job job);

    /// <summary>The worker's handler has much of the request unread (true), or has read enough of it (false).</summary>
    void OnRequestHold(Job job, bool holds);

    /// <summary>The slave has read the last portion of the job's request.</summary>
    void OnRequestRead(Job job);

    /// <summary>The worker has sent a piece of the answer.</summary>
    void OnChunk(Job job, in Payload data);

    /// <summary>The node that the job went to had no room for it, and has not begun it.</summary>
    void OnPeerRefused(Job job, in JobError error);

    /// <summary>The node that has the job is gone.</summary>
    /// <param name="job">The job.</param>
    /// <param name="peer">The node's name.</param>
    /// <param name="end">How it went.</param>
    void OnPeerLost(Job job, string peer, PeerEnd end);

    /// <summary>The worker has ended its side of the job's channel, and the job has left its slave.</summary>
    void OnEnd(Job job, bool failed, in JobError error);
}
