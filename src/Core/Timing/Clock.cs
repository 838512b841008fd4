using System.Diagnostics;

namespace Cocaine.Fast.Core.Timing;

/// <summary>
/// The monotonic clock in nanoseconds. .NET counts in ticks of its own. On Linux, the only system that the node runs on, a tick is a
/// nanosecond; the type's static constructor checks this.
/// </summary>
internal static class Clock
{
    /// <summary>Nanoseconds in a millisecond.</summary>
    public const long NsPerMs = 1_000_000;

    /// <summary>Nanoseconds in a microsecond.</summary>
    public const long NsPerUs = 1_000;

    static Clock()
    {
        if (Stopwatch.Frequency != 1_000_000_000)
        {
            throw new PlatformNotSupportedException($"the clock of this system counts {Stopwatch.Frequency} times a second, not in ns");
        }
    }

    /// <summary>The time now, ns since some moment in this machine's past.</summary>
    public static long NowNs => Stopwatch.GetTimestamp();

    /// <summary>A time in ns as whole ms.</summary>
    public static long MsOf(long ns) => ns / NsPerMs;

    /// <summary>The first whole ms that is not before a time in ns: a bound that counts from there is never short.</summary>
    public static long CeilMsOf(long ns) => (ns + NsPerMs - 1) / NsPerMs;
}
