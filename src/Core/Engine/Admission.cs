using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Decides whether a job without a slave may wait, and if not, when the caller should come again.</summary>
internal sealed class Admission(EngineScope scope, SlavePool pool)
{
    private long _sinceNs;     // begin of the time over which the present rate is measured
    private ulong _endedThen;     // jobs that had ended by that time

    /// <summary>Why a job can neither run nor wait now; the code is 0 when the job can.</summary>
    public JobRefusal Check(ulong jobId)
    {
        if (pool.IsBroken)
        {
            return new JobRefusal(ErrorCodes.ServerError, StartFailure.ForCallers(pool.LastFailure), jobId);
        }

        int waiting = scope.Queue.Count - scope.Queue.Suspects.Count; // suspects had their place before, and must not shut out other jobs
        if (scope.Settings.QueueLimit > 0 && waiting >= scope.Settings.QueueLimit)
        {
            return Full($"the queue is full: {waiting} jobs wait", jobId);
        }

        long limit = scope.Settings.QueueBytes;
        if (limit > 0 && scope.Queue.SizeBytes >= limit)
        {
            return Full(FullReason(scope.Queue.SizeBytes), jobId);
        }

        return default;
    }

    /// <summary>The first job begins to wait: from here on jobs end at full speed, and this rate is the one to count with.</summary>
    public void OnFirstWaiting()
    {
        _sinceNs = scope.Loop.NowNs;
        _endedThen = Ended;
        pool.Growth.Outlook.Begin();
    }

    /// <summary>
    /// Seconds until the waiting jobs have ended, estimated from recently ended jobs. While no job ends, the estimate assumes that one ends
    /// now.
    /// </summary>
    public int RetryAfterS()
    {
        long elapsed = scope.Loop.NowNs - _sinceNs;
        ulong ended = Ended - _endedThen;
        double seconds = scope.Queue.Count * (elapsed / 1e9) / Math.Max(1, ended);
        if (elapsed > EngineLimits.SpeedWindowMs * 1_000_000L)
        {
            _sinceNs += elapsed / 2; // old jobs count less and less
            _endedThen += ended / 2;
        }

        return (int)Math.Clamp(Math.Ceiling(seconds), EngineLimits.MinRetryAfterS, EngineLimits.MaxRetryAfterS);
    }

    public static string FullReason(long sizeBytes) => $"the queue is full: the queue holds {sizeBytes} bytes";

    private JobRefusal Full(string reason, ulong jobId) =>
        new(ErrorCodes.ResourceError, reason, jobId, RetryAfterS(), ErrorCause.QueueFull);

    private ulong Ended => scope.Counters.JobsDone + scope.Counters.JobsFailed;
}
