using System.Numerics;

namespace Cocaine.Fast.Core.Monitoring;

/// <summary>What a histogram says at one moment, in nanoseconds.</summary>
internal readonly record struct LatencySnapshot(long P50, long P90, long P99, long P999, long Max, long Count);

/// <summary>
/// Counts latencies in buckets that are linear within each power of two: at most 1/32 off, from 1 ns to more than an hour, in constant
/// time and 9 KiB. The idea is
/// Gil Tene's HdrHistogram.
/// </summary>
/// <remarks>
/// One thread records; others may read and see counts of slightly different moments. A sparse one keeps only the powers of two between the
/// shortest and the longest that it has seen, some 256 bytes each, and allocates when it sees one beyond: not for the request path.
/// </remarks>
/// <param name="sparse">Grow with what is seen, instead of taking all of the 9 KiB at once.</param>
internal sealed class LatencyHistogram(bool sparse = false)
{
    private const int SubBits = 5, Sub = 1 << SubBits;

    /// <summary>2^42 ns is 73 minutes; longer ones count as that.</summary>
    private const int MaxBits = 42;

    private const int Buckets = (MaxBits - SubBits + 1) * Sub;

    private long[] _counts = []; // grows at the first record: a node has more histograms than busy ones
    private int _first;          // the bucket that _counts begins with, a multiple of Sub

    public long Count { get; private set; }

    /// <summary>The longest one, exact, ns.</summary>
    public long Max { get; private set; }

    public void Record(long nanoseconds)
    {
        long value = Math.Clamp(nanoseconds, 0, (1L << MaxBits) - 1);
        int bucket = IndexOf(value);
        if ((uint)(bucket - _first) >= (uint)_counts.Length)
        {
            Widen(bucket, bucket);
        }

        _counts[bucket - _first]++;
        Count++;
        if (nanoseconds > Max)
        {
            Max = nanoseconds;
        }
    }

    /// <summary>The value below or at which so many percent lie, at most 1/32 too high; 0 when empty.</summary>
    public long ValueAtPercentile(double percent)
    {
        long[] counts = _counts;
        if (Count == 0)
        {
            return 0;
        }

        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        for (int i = 0; i < counts.Length; i++)
        {
            wanted -= counts[i];
            if (wanted <= 0)
            {
                return Math.Min(HighestIn(_first + i), Max);
            }
        }

        return Max;
    }

    public LatencySnapshot Snapshot() =>
        new(ValueAtPercentile(50), ValueAtPercentile(90), ValueAtPercentile(99), ValueAtPercentile(99.9), Max, Count);

    /// <summary>Adds another's counts.</summary>
    public void Merge(LatencyHistogram other)
    {
        if (other._counts.Length == 0)
        {
            return;
        }

        Widen(other._first, other._first + other._counts.Length - 1);
        for (int i = 0; i < other._counts.Length; i++)
        {
            _counts[other._first + i - _first] += other._counts[i];
        }

        Count += other.Count;
        Max = Math.Max(Max, other.Max);
    }

    public void Reset()
    {
        _counts.AsSpan().Clear();
        Count = Max = 0;
    }

    /// <summary>Makes room for the buckets from one to another; all of them when it is not sparse.</summary>
    private void Widen(int from, int to)
    {
        int first = sparse ? from & -Sub : 0;
        int end = sparse ? (to & -Sub) + Sub : Buckets;
        if (_counts.Length > 0)
        {
            first = Math.Min(first, _first);
            end = Math.Max(end, _first + _counts.Length);
        }

        long[] wider = new long[end - first];
        _counts.CopyTo(wider, _counts.Length > 0 ? _first - first : 0);
        _counts = wider;
        _first = first;
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
