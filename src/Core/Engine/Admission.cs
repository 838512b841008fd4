using System.Text.Unicode;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>Decides whether a job without a slave may wait, and if not, when the caller should come again.</summary>
internal sealed class Admission(EngineScope scope, SlavePool pool)
{
    private long _sinceNs;     // begin of the time over which the present rate is measured
    private ulong _endedThen;     // jobs that had ended by that time

    /// <summary>A job can neither run nor wait now: <see cref="Check"/> says why.</summary>
    public bool MustRefuse => pool.IsBroken || IsFull || AreBytesFull;

    /// <summary>Why a job can neither run nor wait now; the code is 0 when the job can.</summary>
    public JobRefusal Check(ulong jobId)
    {
        if (pool.IsBroken)
        {
            return new JobRefusal(ErrorCodes.ServerError, StartFailure.ForCallers(pool.LastFailure), jobId) { Why = RefusalReason.Broken };
        }

        return IsFull ? Full($"the queue is full: {Waiting} jobs wait", jobId, RefusalReason.QueueJobs)
            : AreBytesFull ? Full(FullReason(scope.Queue.SizeBytes), jobId, RefusalReason.QueueBytes) : default;
    }

    /// <summary>Why a job that no slave takes at once is refused; the code is 0 when the job may wait.</summary>
    public JobRefusal WhyNot(ulong jobId) => scope.State switch
    {
        EngineState.Running when scope.IsPaused => NotRunning(
            ErrorCodes.ResourceError, "the app is paused: it takes no new jobs until it is resumed", jobId, RefusalReason.Paused),
        EngineState.Running => Check(jobId),
        EngineState.Draining => NotRunning(
            ErrorCodes.ResourceError, "the app is draining: it takes no new jobs", jobId, RefusalReason.Draining),
        _ => NotRunning(ErrorCodes.ServerError, "the app is not running", jobId, RefusalReason.Draining),
    };

    /// <summary>Counts and records a refused job.</summary>
    public void Record(in JobRefusal refusal, TaskMonitor task, byte[] name)
    {
        scope.Counters.JobsRejected++;
        scope.Counters.Reasons.Count(refusal.Why);
        Span<byte> reason = stackalloc byte[EngineLimits.RecordedReasonBytes];
        Utf8.FromUtf16(refusal.Reason, reason, out _, out int length); // a longer reason is cut
        scope.Records.Ledger.Arrived(refusal.JobId, scope.Loop.NowNs, task.Utf8Name, name);
        scope.Records.Ledger.Ended(
            refusal.JobId, scope.Loop.NowNs, JobOutcome.Refused, ErrorCodes.Category, refusal.Code, reason[..length]);
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

    /// <summary>Suspects had their place before, and must not shut out other jobs.</summary>
    private int Waiting => scope.Queue.Count - scope.Queue.Suspects.Count;

    private bool IsFull => scope.Settings.QueueLimit > 0 && Waiting >= scope.Settings.QueueLimit;

    private bool AreBytesFull => scope.Settings.QueueBytes > 0 && scope.Queue.SizeBytes >= scope.Settings.QueueBytes;

    private JobRefusal Full(string reason, ulong jobId, RefusalReason why) =>
        new(ErrorCodes.ResourceError, reason, jobId, RetryAfterS(), ErrorCause.QueueFull) { Why = why };

    private static JobRefusal NotRunning(int code, string reason, ulong jobId, RefusalReason why) =>
        new(code, reason, jobId, Cause: ErrorCause.NotRunning) { Why = why };

    private ulong Ended => scope.Counters.JobsDone + scope.Counters.JobsFailed;
}
