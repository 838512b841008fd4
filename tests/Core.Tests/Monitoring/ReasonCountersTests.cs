using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Tests.Monitoring;

/// <summary>Sums of counts by reasons.</summary>
public class ReasonCountersTests
{
    [Fact]
    public void A_sum_has_the_counts_of_all_and_changes_none_of_them()
    {
        ReasonCounters one = new(), other = new(), sum = new();
        one.Count(RefusalReason.Paused);
        one.Count(SlaveEnd.Silent);
        one.Starts.Record(1_000_000);
        other.Count(RefusalReason.Paused);
        other.Count(PoolDecision.GrowForJobs);
        other.Starts.Record(5_000_000_000);
        sum.Add(new ReasonCounters());
        sum.Add(one);
        sum.Add(other);
        sum.Add(other);
        Assert.Equal((3UL, 1UL, 2UL, 3L), (sum[RefusalReason.Paused], sum[SlaveEnd.Silent], sum[PoolDecision.GrowForJobs], sum.Starts.Count));
        Assert.Equal(10_001_000_000, sum.Starts.Sum);
        Assert.Equal((1L, 1L, 1UL), (one.Starts.Count, other.Starts.Count, one[RefusalReason.Paused]));
    }
}
