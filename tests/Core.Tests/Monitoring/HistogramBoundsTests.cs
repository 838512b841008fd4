using Cocaine.Fast.Core.Monitoring;
using CsCheck;

namespace Cocaine.Fast.Core.Tests.Monitoring;

/// <summary>The counts up to given bounds agree with the values, within the error of a bucket.</summary>
public class HistogramBoundsTests
{
    [Fact]
    public void Counts_up_to_bounds_are_those_of_the_values() =>
        Gen.Select(Gen.Long[0, 100_000_000_000].Array[0, 200], Gen.Long[1, 100_000_000_000].Array[1, 10]).Sample((values, bounds) =>
        {
            Array.Sort(bounds);
            LatencyHistogram histogram = new();
            foreach (long value in values)
            {
                histogram.Record(value);
            }

            long[] counts = new long[bounds.Length];
            Assert.Equal(values.Length, histogram.CountUpTo(bounds, counts));
            for (int i = 0; i < bounds.Length; i++)
            {
                Assert.InRange(counts[i], values.Count(value => value * 33.0 / 32 < bounds[i]), values.Count(value => value <= bounds[i]));
            }
        });
}
