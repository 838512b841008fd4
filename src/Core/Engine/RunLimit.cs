using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// The job-timeout: the longest run of a job, from its dispatch to the end of its answer, also while chunks come. No other bound ends a
/// handler that waits for ever on a slave that beats.
/// </summary>
internal sealed class RunLimit(EngineScope scope)
{
    private long _logDueMs;

    /// <summary>
    /// The time at which the job has run for as long as it may, ms of the loop's listened time; null for never. Valid in Running and
    /// Streaming.
    /// </summary>
    public static long? DueMs(Job job)
    {
        long begunMs = job.AwaitedSinceMs + Clock.CeilMsOf(job.DispatchedNs) - Clock.MsOf(job.DispatchedNs); // no run is cut short
        return job.Task.JobTimeoutMs > 0 ? begunMs + job.Task.JobTimeoutMs : null;
    }

    /// <summary>
    /// Answers a job that has run for too long, and tells its worker; false when the job has not. The slave then has the
    /// termination-timeout to end the job.
    /// </summary>
    public bool TryEnd(Job job, long nowMs)
    {
        long listenedMs = scope.Loop.ListenedMs;
        if (DueMs(job) is not { } due || listenedMs < due)
        {
            return false;
        }

        long limit = job.Task.JobTimeoutMs;
        scope.Counters.JobTimeouts++;
        if (nowMs >= _logDueMs)
        {
            _logDueMs = nowMs + EngineLimits.JobTimeoutLogMs;
            RunLimitLog.RanTooLong(
                scope.Log, scope.Name, JobNames.Of(job), limit, job.Slave!.ShortId, scope.Counters.JobTimeouts);
        }

        job.RanTooLong = true;
        job.CancelDueMs = listenedMs + scope.Settings.TerminationTimeoutMs;
        job.Engine.Fail(job, ErrorCodes.TimeoutError, $"the job ran for its job-timeout of {limit} ms and was cancelled");
        return true;
    }

    /// <summary>
    /// The time that a job over its job-timeout has to leave its slave is over. When the slave is heard, and others of its jobs wait for
    /// their answers, the slave is replaced and those jobs go on. Otherwise the slave is killed, and its place is free.
    /// </summary>
    public static bool LeavesOthers(Slave slave, Job job) =>
        job.RanTooLong && slave.LastHeardMs > job.AnsweredMs && slave.Channels.ToList().Exists(other => !other.IsAnswered);
}

internal static partial class RunLimitLog
{
    [LoggerMessage(240, LogLevel.Warning,
        "{App}: job {Job} ran for its job-timeout of {LimitMs} ms on slave {Slave} and is cancelled; such jobs so far {Count}")]
    public static partial void RanTooLong(ILogger log, string app, string job, long limitMs, string slave, ulong count);
}
