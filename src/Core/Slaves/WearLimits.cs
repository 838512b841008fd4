using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The limits of one slave: those of the manifest, each changed by up to 10 %, so that slaves of one age do not wear out at the same time.
/// </summary>
internal readonly record struct WearLimits
{
    /// <summary>The slave is worn after so many jobs; long.MaxValue = never.</summary>
    public long Jobs { get; private init; }

    /// <summary>The time from which on the slave is worn, ms of the loop's clock; long.MaxValue = never.</summary>
    public long AgeDueMs { get; private init; }

    /// <summary>The slave is worn from so many resident bytes on; long.MaxValue = never.</summary>
    public long RssBytes { get; private init; }

    /// <param name="settings">The manifest's limits.</param>
    /// <param name="generation">The slave's number.</param>
    /// <param name="startedMs">The time of the slave's launch.</param>
    public static WearLimits For(EngineSettings settings, ulong generation, long startedMs)
    {
        double factor = FactorOf(generation);
        return new WearLimits
        {
            Jobs = Jittered(settings.MaxJobs, factor),
            AgeDueMs = settings.MaxAgeMs > 0 ? startedMs + Jittered(settings.MaxAgeMs, factor) : long.MaxValue,
            RssBytes = Jittered(settings.MaxRssBytes, factor),
        };
    }

    /// <summary>
    /// A factor from 0.9 to 1.1. Steps of the golden ratio lie farther apart than random ones: the n slaves of a pool that started at once
    /// are spread over the whole range. A run with the same slaves can also be repeated.
    /// </summary>
    private static double FactorOf(ulong generation)
    {
        const double Golden = 0.6180339887498949;
        double place = generation * Golden;
        return 0.9 + (0.2 * (place - Math.Floor(place)));
    }

    private static long Jittered(long limit, double factor) => limit > 0 ? Math.Max(1, (long)Math.Round(limit * factor)) : long.MaxValue;
}
