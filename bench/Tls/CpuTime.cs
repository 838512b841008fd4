using System.Runtime.InteropServices;

namespace Cocaine.Fast.Bench.Tls;

/// <summary>
/// A stopwatch for the CPU of the calling thread: the work of other programs on the machine does not count, as it does not in the CPU of
/// the node.
/// </summary>
internal sealed partial class CpuTime
{
    /// <summary>CLOCK_THREAD_CPUTIME_ID of Linux.</summary>
    private const int OfThread = 3;

    private long _ns;
    private long _startedNs;

    /// <summary>The CPU between starts and stops, ms.</summary>
    public double Ms => _ns / 1e6;

    public void Start() => _startedNs = Now();

    public void Stop() => _ns += Now() - _startedNs;

    private static long Now()
    {
        _ = clock_gettime(OfThread, out TimeSpec now);
        return (now.Seconds * 1_000_000_000) + now.Nanoseconds;
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out TimeSpec time);

    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
