using Cocaine.Fast.Core.Monitoring;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Monitoring;

public class LatencyHistogramTests
{
    [Fact]
    public void Percentiles_are_at_most_one_part_in_32_above_the_exact_ones() =>
        Gen.Select(Gen.Long[0, 1L << 41].Array[1, 500], Gen.Double[0.1, 100]).Sample((values, percent) =>
        {
            LatencyHistogram histogram = new();
            Array.ForEach(values, histogram.Record);
            Array.Sort(values);
            long exact = values[Math.Max(0, (int)Math.Ceiling(values.Length * percent / 100) - 1)];
            long said = histogram.ValueAtPercentile(percent);
            Assert.InRange(said, exact, exact + (exact / 32) + 1);
            Assert.Equal(values[^1], histogram.Max);
            Assert.Equal(values.Length, histogram.Count);
        }, iter: 2000);

    [Fact]
    public void Merging_is_recording_both()
    {
        LatencyHistogram one = new(), other = new(), both = new();
        for (int i = 0; i < 1000; i++)
        {
            (i % 2 == 0 ? one : other).Record(i * 977);
            both.Record(i * 977);
        }

        one.Merge(other);
        Assert.Equal(both.Snapshot(), one.Snapshot());
    }

    [Fact]
    public void A_sparse_one_says_the_same_as_a_full_one() =>
        Gen.Long[0, 1L << 43].Array[1, 100].Sample(values =>
        {
            LatencyHistogram full = new(), sparse = new(sparse: true), merged = new(sparse: true);
            Array.ForEach(values, full.Record);
            Array.ForEach(values, sparse.Record);
            merged.Record(values[0]);
            merged.Merge(sparse);
            full.Record(values[0]);
            sparse.Record(values[0]);
            Assert.Equal(full.Snapshot(), sparse.Snapshot());
            Assert.Equal(full.Snapshot(), merged.Snapshot());
        }, iter: 2000);

    [Fact]
    public void Extremes_are_kept_within_range()
    {
        LatencyHistogram histogram = new();
        histogram.Record(-5);
        histogram.Record(long.MaxValue);
        Assert.Equal(2, histogram.Count);
        Assert.Equal(0, histogram.ValueAtPercentile(50));
    }
}
