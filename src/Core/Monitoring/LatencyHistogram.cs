using System.Numerics;
using System.Runtime.CompilerServices;

namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The values of a histogram at one moment, in nanoseconds.</summary>
internal readonly record struct LatencySnapshot(long P50, long P90, long P99, long P999, long Max, long Count, long Sum);

/// <summary>
/// Counts latencies in buckets that are linear within each power of two: at most 1/32 off, from 1 ns to more than an hour, in constant
/// time. The idea is Gil Tene's HdrHistogram.
/// </summary>
/// <remarks>
/// One thread records; others may read and see counts of slightly different moments. A sparse histogram keeps only the powers of two that
/// it has seen, 256 bytes each, and allocates when it sees another one: do not use it on the request path. A dense histogram takes all of
/// its 9.5 KiB at its first record.
/// </remarks>
/// <param name="sparse">Grow with each new power of two, instead of taking all memory at once.</param>
internal sealed class LatencyHistogram(bool sparse = false)
{
    private const int SubBits = 5, Sub = 1 << SubBits;

    /// <summary>2^42 ns is 73 minutes; longer times count as 73 minutes.</summary>
    private const int MaxBits = 42;

    /// <summary>Groups of <see cref="Sub"/> buckets. The first two are the values below 64, each later one a power of two.</summary>
    private const int Groups = MaxBits - SubBits + 1;

    private Places _places;      // for each group, the place of its buckets in _counts, in groups, from 1; 0 = the group has no value yet
    private long[] _counts = []; // grows at the first record: a node has more histograms than busy ones

    public long Count { get; private set; }

    /// <summary>The sum of all values, ns; a value of more than 73 minutes counts as 73 minutes.</summary>
    public long Sum { get; private set; }

    /// <summary>The longest value, exact, ns.</summary>
    public long Max { get; private set; }

    public void Record(long nanoseconds)
    {
        ulong value = (ulong)Math.Clamp(nanoseconds, 0, (1L << MaxBits) - 1);
        int exponent = 63 - BitOperations.LeadingZeroCount(value | Sub) - SubBits;
        int bucket = (exponent * Sub) + (int)(value >> exponent);
        int group = bucket / Sub;
        int place = _places[group];
        if (place == 0)
        {
            place = Open(group);
        }

        _counts[(place * Sub) - Sub + (bucket & (Sub - 1))]++;
        Count++;
        Sum += (long)value;
        if (nanoseconds > Max)
        {
            Max = nanoseconds;
        }
    }

    /// <summary>The value at or below which so many percent of the values lie, at most 1/32 too high; 0 when empty.</summary>
    public long ValueAtPercentile(double percent)
    {
        if (Count == 0)
        {
            return 0;
        }

        long wanted = Math.Max(1, (long)Math.Ceiling(Count * percent / 100));
        for (int group = 0; group < Groups; group++)
        {
            ReadOnlySpan<long> counts = CountsOf(group);
            for (int i = 0; i < counts.Length; i++)
            {
                wanted -= counts[i];
                if (wanted <= 0)
                {
                    return Math.Min(HighestIn(group, i), Max);
                }
            }
        }

        return Max;
    }

    /// <summary>Counts the values up to each bound; a value counts as the highest one of its bucket. Returns the count of all.</summary>
    /// <param name="boundsNs">The bounds, ascending, ns.</param>
    /// <param name="counts">Gets, for each bound, the values at or below it.</param>
    public long CountUpTo(ReadOnlySpan<long> boundsNs, Span<long> counts)
    {
        long all = 0;
        int bound = 0;
        for (int group = 0; group < Groups; group++)
        {
            ReadOnlySpan<long> values = CountsOf(group);
            for (int i = 0; i < values.Length; i++)
            {
                for (; bound < boundsNs.Length && HighestIn(group, i) > boundsNs[bound]; bound++)
                {
                    counts[bound] = all;
                }

                all += values[i];
            }
        }

        counts[bound..].Fill(all);
        return all;
    }

    public LatencySnapshot Snapshot() =>
        new(ValueAtPercentile(50), ValueAtPercentile(90), ValueAtPercentile(99), ValueAtPercentile(99.9), Max, Count, Sum);

    /// <summary>The same counts, which nobody adds to.</summary>
    public LatencyHistogram Copy()
    {
        LatencyHistogram copy = (LatencyHistogram)MemberwiseClone();
        copy._counts = [.. _counts];
        return copy;
    }

    /// <summary>Adds the counts of another histogram.</summary>
    public void Merge(LatencyHistogram other)
    {
        for (int group = 0; group < Groups; group++)
        {
            ReadOnlySpan<long> theirs = other.CountsOf(group);
            if (theirs.IsEmpty)
            {
                continue;
            }

            if (_places[group] == 0)
            {
                _ = Open(group);
            }

            Span<long> ours = CountsOf(group);
            for (int i = 0; i < theirs.Length; i++)
            {
                ours[i] += theirs[i];
            }
        }

        Count += other.Count;
        Sum += other.Sum;
        Max = Math.Max(Max, other.Max);
    }

    public void Reset()
    {
        _counts.AsSpan().Clear();
        Count = Sum = Max = 0;
    }

    /// <summary>A group's buckets; empty when the group never had a value.</summary>
    private Span<long> CountsOf(int group)
    {
        int end = _places[group] * Sub;
        long[] counts = _counts;
        return end > 0 && end <= counts.Length ? counts.AsSpan(end - Sub, Sub) : []; // another thread may see a place before its counts
    }

    /// <summary>
    /// Makes room for the buckets of a group, or of all groups when the histogram is dense, and returns the place of the group's buckets.
    /// </summary>
    private int Open(int group)
    {
        Array.Resize(ref _counts, sparse ? _counts.Length + Sub : Groups * Sub);
        if (sparse)
        {
            return _places[group] = (byte)(_counts.Length / Sub);
        }

        for (int each = 0; each < Groups; each++)
        {
            _places[each] = (byte)(each + 1);
        }

        return _places[group];
    }

    private static long HighestIn(int group, int bucket)
    {
        int exponent = Math.Max(0, group - 1);
        long low = (group * Sub) + bucket - ((long)exponent * Sub);
        return ((low + 1) << exponent) - 1;
    }

    [InlineArray(Groups)]
    private struct Places
    {
        private byte _first;
    }
}
