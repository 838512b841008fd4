using Cocaine.Fast.Core.Engine.Growth;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine.Handling;

/// <summary>Whether a job that no slave has room for may wait; and if not, when to come again.</summary>
internal sealed class Admission(AppEngine engine)
{
    private long _sinceTicks;     // begin of what the present speed is taken from
    private ulong _endedThen;     // jobs that had ended by then

    /// <summary>Why a job can be neither run nor queued now; the code is 0 when it can.</summary>
    public JobRefusal Check(ulong jobId)
    {
        if (engine.Pool.IsBroken)
        {
            return new JobRefusal(ErrorCodes.ServerError, StartFailure.ForCallers(engine.Pool.LastFailure), jobId);
        }

        int waiting = engine.Queue.Usual; // suspects had their place before, and must not shut out others
        if (engine.Settings.QueueLimit > 0 && waiting >= engine.Settings.QueueLimit)
        {
            return new JobRefusal(ErrorCodes.ResourceError, $"the queue is full: {waiting} jobs wait", jobId, RetryAfterS());
        }

        long limit = engine.Settings.QueueBytes;
        if (limit > 0 && engine.Queue.SizeBytes >= limit)
        {
            return new JobRefusal(ErrorCodes.ResourceError, FullReason(engine.Queue.SizeBytes), jobId, RetryAfterS());
        }

        return default;
    }

    /// <summary>The first job begins to wait: from here on jobs end as fast as they can, which is the speed to count with.</summary>
    public void OnFirstWaiting()
    {
        _sinceTicks = engine.Loop.NowTicks;
        _endedThen = Ended;
        engine.Pool.Growth.Outlook.Begin();
    }

    /// <summary>
    /// The time in which the jobs that wait now will have ended, by the speed of late, s. While none ends, as if one did at this moment.
    /// </summary>
    public int RetryAfterS()
    {
        long elapsed = engine.Loop.NowTicks - _sinceTicks;
        ulong ended = Ended - _endedThen;
        double seconds = engine.Queue.Count * (elapsed / 1e9) / Math.Max(1, ended);
        if (elapsed > EngineLimits.SpeedWindowMs * 1_000_000L)
        {
            _sinceTicks += elapsed / 2; // what is long ago counts less and less
            _endedThen += ended / 2;
        }

        return (int)Math.Clamp(Math.Ceiling(seconds), EngineLimits.MinRetryAfterS, EngineLimits.MaxRetryAfterS);
    }

    public static string FullReason(long sizeBytes) => $"the queue is full: the queue holds {sizeBytes} bytes";

    private ulong Ended => engine.Counters.JobsDone + engine.Counters.JobsFailed;
}
