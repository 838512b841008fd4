using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>How long the pool launches no slave after failed starts.</summary>
internal static class StartPauses
{
    /// <summary>The pause after so many failures in a row: each pause is twice the one before, up to a bound.</summary>
    public static long AfterMs(int failures) =>
        Math.Min((long)EngineLimits.FirstRestartPauseMs << Math.Min(failures - 1, 16), EngineLimits.MaxRestartPauseMs);

    /// <summary>
    /// The pause when the slaves had jobs, which may be the cause. Other jobs should not wait for long, and not at all for a single job
    /// that kills as many slaves as it may.
    /// </summary>
    public static long AfterJobsMs(int failures) => failures < EngineLimits.FailuresUntilBroken ? 0
        : Math.Min(AfterMs(failures - EngineLimits.FailuresUntilBroken + 1), EngineLimits.MaxPauseOfJobsMs);
}
