using System.Diagnostics;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>A job's policy as clients of 2012 give it: seconds, and the deadline as absolute Unix time.</summary>
internal static class OldPolicy
{
    /// <summary>A timeout beyond this counts as none: three years.</summary>
    private const double MaxSeconds = 1e8;

    /// <summary>Returns the mistake, or null. <paramref name="isLate"/>: the deadline has passed.</summary>
    public static string? Read(
        IEngineLoop loop, bool urgent, double timeout, double deadline, out JobPolicy policy, out bool isLate)
    {
        policy = default;
        isLate = false;
        if (!(timeout >= 0) || !(deadline >= 0)) // NaN too
        {
            return "a timeout and a deadline are numbers from 0 on";
        }

        long deadlineMs = 0;
        if (deadline > 0)
        {
            double left = deadline - (DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0);
            if (left <= 0)
            {
                isLate = true;
                return "the deadline passed before the job arrived";
            }

            // A job's deadline counts from the begin of the loop's turn, which may have been a while ago.
            double fromTurn = left + Stopwatch.GetElapsedTime(loop.NowNs).TotalSeconds;
            deadlineMs = fromTurn >= MaxSeconds ? 0 : (long)Math.Ceiling(fromTurn * 1000);
        }

        policy = new JobPolicy { Urgent = urgent, SilenceTimeoutMs = timeout > 0 ? ToMs(timeout) : 0, DeadlineMs = deadlineMs };
        return null;
    }

    private static long ToMs(double seconds) => seconds >= MaxSeconds ? 0 : Math.Max(1, (long)Math.Round(seconds * 1000));
}
