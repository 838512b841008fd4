using System.Numerics;

namespace Cocaine.Fast.Core.Monitoring;

/// <summary>What a histogram says at one moment, in nanoseconds.</summary>
internal readonly record struct LatencySnapshot(long P50, long P90, long P99, long P999, long Max, long Count);

/// <summary>
/// Counts latencies in buckets that are linear within each power of two: at most 1/32 off, from 1 ns to more than an hour, in constant
/// time and 9 KiB. The idea is
/// Gil Tene's HdrHistogram.
/// </summary>
/// <remarks>One thread records; others may read and see counts of slightly different moments.</remarks>
internal sealed class LatencyHistogram
{
    private const int SubBits = 5, Sub = 1 << SubBits;

    /// <summary>2^42 ns is 73 minutes; longer ones count as that.</summary>
    private const int MaxBits = 42;

    private const int Buckets = (MaxBits - SubBits + 1) * Sub;

    private long[]? _counts; // made by the first record: a node has more histograms than busy ones

    public long Count { get; private set; }

    /// <summary>The longest one, exact, ns.</summary>
    public long Max { get; private set; }

    public void Record(long nanoseconds)
    {
        long[] counts = _counts ??= new long[Buckets];
        long value = Math.Clamp(nanoseconds, 0, (1L << MaxBits) - 1);
        counts[IndexOf(value)]++;
        Count++;
        if (nanoseconds > Max)
        {
            Max = nanoseconds;
        }
    }

    /// <summary>The value below or at which so many percent lie, at most 1/32 too high; 0 when empty.</summary>
    public long ValueAtPercentile(double percent)
    {
        if (_counts is not { } counts || Count == 0)
        {
            return 0;
        }

        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        for (int i = 0; i < counts.Length; i++)
        {
            wanted -= counts[i];
            if (wanted <= 0)
            {
                return Math.Min(HighestIn(i), Max);
            }
        }

        return Max;
    }

    public LatencySnapshot Snapshot() =>
        new(ValueAtPercentile(50), ValueAtPercentile(90), ValueAtPercentile(99), ValueAtPercentile(99.9), Max, Count);

    /// <summary>Adds another's counts.</summary>
    public void Merge(LatencyHistogram other)
    {
        if (other._counts is not { } theirs)
        {
            return;
        }

        long[] counts = _counts ??= new long[Buckets];
        for (int i = 0; i < counts.Length; i++)
        {
            counts[i] += theirs[i];
        }

        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    public void Reset()
    {
        _counts?.AsSpan().Clear();
        Count = Max = 0;
    }

    private static int IndexOf(long value)
    {
        int exponent = 63 - BitOperations.LeadingZeroCount((ulong)value | Sub) - SubBits;
        return (exponent * Sub) + (int)(value >> exponent);
    }

    private static long HighestIn(int index)
    {
        int exponent = Math.Max(0, (index / Sub) - 1);
        long low = index - ((long)exponent * Sub);
        return ((low + 1) << exponent) - 1;
    }
}
