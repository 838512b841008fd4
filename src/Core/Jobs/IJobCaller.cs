using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Gets a job's answer: a driver's connection, or its publisher. Exactly one of <see cref="OnDone"/> and <see cref="OnFailed"/> is called
/// for a job that was accepted and not cancelled by the caller, after any number of chunks. All calls come on the loop.
/// </summary>
internal interface IJobCaller
{
    /// <summary>A piece of the answer. Its bytes are valid during the call only.</summary>
    void OnChunk(Job job, in Payload data);

    /// <summary>The answer is whole.</summary>
    void OnDone(Job job);

    /// <summary>The job failed with this error; nothing follows.</summary>
    void OnFailed(Job job, in JobError error);

    /// <summary>The slave takes this job's request more slowly than it comes (true), or fast enough again (false).</summary>
    void OnRequestPressure(Job job, bool high);
}

/// <summary>A job's error: the category and code of docs/protocol.md and a text in UTF-8.</summary>
internal readonly ref struct JobError(
    int category, int code, ReadOnlySpan<byte> reason, int retryAfterS = 0, ErrorCause cause = ErrorCause.Other)
{
    public int Category { get; } = category;

    public int Code { get; } = code;

    public ReadOnlySpan<byte> Reason { get; } = reason;

    /// <summary>Time until there is room again at the present rate, s; 0 when there was no lack of room.</summary>
    public int RetryAfterS { get; } = retryAfterS;

    /// <summary>Why it came about, when it is one of the node's own.</summary>
    public ErrorCause Cause { get; } = cause;

    /// <summary>The headers of the error for this job.</summary>
    public ErrorHeaders HeadersOf(Job job) => new() { JobId = job.Id, RetryAfterS = RetryAfterS };
}
