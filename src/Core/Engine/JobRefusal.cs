using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Why a job was not accepted.</summary>
/// <param name="Code">The error's code.</param>
/// <param name="Reason">The error's text.</param>
/// <param name="JobId">The job's number, which it has already got.</param>
/// <param name="RetryAfterS">Time until there is room again at the present rate, s; 0 when there was no lack of room.</param>
/// <param name="Cause">Why it came about, for balancers.</param>
internal readonly record struct JobRefusal(int Code, string Reason, ulong JobId, int RetryAfterS = 0, ErrorCause Cause = ErrorCause.Other)
{
    /// <summary>The reason in a word, for counts. Valid for a refusal of the engine.</summary>
    public RefusalReason Why { get; init; }

    /// <summary>The headers of the error.</summary>
    public ErrorHeaders Headers => new() { JobId = JobId, RetryAfterS = RetryAfterS };
}
