using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>How long no slave is launched after starts that failed.</summary>
internal static class StartPauses
{
    /// <summary>The pause after so many failures in a row: each twice the one before, up to a bound.</summary>
    public static long AfterMs(int failures) =>
        Math.Min((long)EngineLimits.FirstRestartPauseMs << Math.Min(failures - 1, 16), EngineLimits.MaxRestartPauseMs);

    /// <summary>
    /// The same when the slaves had jobs, which may be the cause: others are not to wait for long, and not at all for one job that kills
    /// the slaves that it may.
    /// </summary>
    public static long AfterJobsMs(int failures) => failures < EngineLimits.FailuresUntilBroken ? 0
        : Math.Min(AfterMs(failures - EngineLimits.FailuresUntilBroken + 1), EngineLimits.MaxPauseOfJobsMs);
}
