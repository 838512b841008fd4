using System.Diagnostics;

namespace Cocaine.Fast.Core.Timing;

/// <summary>
/// The monotonic clock in nanoseconds. .NET counts it in ticks of its own; on Linux, the only system that the node runs on, one of them
/// is a nanosecond, which the type's start checks.
/// </summary>
internal static class Clock
{
    /// <summary>Nanoseconds of a millisecond.</summary>
    public const long NsPerMs = 1_000_000;

    /// <summary>Nanoseconds of a microsecond.</summary>
    public const long NsPerUs = 1_000;

    static Clock()
    {
        if (Stopwatch.Frequency != 1_000_000_000)
        {
            throw new PlatformNotSupportedException($"the clock of this system counts {Stopwatch.Frequency} times a second, not in ns");
        }
    }

    /// <summary>The time now, ns since some moment of this machine's past.</summary>
    public static long NowNs => Stopwatch.GetTimestamp();

    /// <summary>The same time in whole ms.</summary>
    public static long MsOf(long ns) => ns / NsPerMs;
}
