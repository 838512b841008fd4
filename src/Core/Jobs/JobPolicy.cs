using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>The caller's wishes for a job; 0 means the app's own setting, or none.</summary>
internal readonly record struct JobPolicy
{
    /// <summary>The job goes before jobs that are not urgent.</summary>
    public bool Urgent { get; init; }

    /// <summary>Longest silence of the slave while it has this job, ms; 0 = the app's heartbeat-timeout.</summary>
    public long SilenceTimeoutMs { get; init; }

    /// <summary>Time from the job's arrival until its answer is worthless, ms; 0 = none.</summary>
    public long DeadlineMs { get; init; }

    /// <summary>The job may run twice: the caller does not mind.</summary>
    public bool Idempotent { get; init; }

    /// <summary>How often to run the job again when its slave dies; null = the app's retry-limit.</summary>
    public int? RetryLimit { get; init; }

    /// <summary>The wishes in the headers of a call.</summary>
    public static JobPolicy Of(HeaderSet headers) => new()
    {
        Urgent = headers.Urgent,
        SilenceTimeoutMs = headers.SilenceTimeoutMs ?? 0,
        DeadlineMs = headers.RequestTimeoutMs ?? 0,
        RetryLimit = headers.RetryLimit,
        Idempotent = headers.Idempotent,
    };
}
