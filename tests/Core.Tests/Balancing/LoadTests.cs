using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Core.Tests.Balancing;

/// <summary>The load of an app, and the wait that follows from it.</summary>
public class LoadTests
{
    [Theory]
    [InlineData(0, 4, 0)]
    [InlineData(3, 4, 0)]
    [InlineData(4, 4, 250)]
    [InlineData(11, 4, 2000)]
    [InlineData(2_000_000, 1, 2_000_000_000L)]
    public void A_job_waits_for_its_turn(int jobs, int slots, long expected) => Assert.Equal(expected, ExpectedWait.Ns(jobs, slots, 1000));

    [Fact]
    public void The_mean_follows_the_last_jobs()
    {
        ServiceMean mean = new();
        Assert.Equal(0, mean.Ns);
        mean.Add(1_000_000);
        Assert.Equal(1_000_000, mean.Ns);
        for (int i = 0; i < 50; i++)
        {
            mean.Add(2_000_000);
        }

        Assert.InRange(mean.Ns, 1_600_000, 1_700_000); // two thirds of the way
    }

    [Theory]
    [InlineData(4, 3, 2, 1000L, true)]
    [InlineData(0, 0, 0, 1000L, false)]
    [InlineData(4, -1, 0, 1000L, false)]
    [InlineData(4, 0, int.MaxValue, 1000L, false)]
    [InlineData(int.MaxValue, 0, 0, 1000L, false)]
    [InlineData(4, 0, 0, long.MaxValue, false)]
    [InlineData(4, 0, 0, -1L, false)]
    public void Impossible_loads_are_known(int slots, int running, int queued, long meanNs, bool isPossible) =>
        Assert.Equal(isPossible, new LoadReport(slots, running, queued, meanNs).IsPossible);

    [Fact]
    public void The_highest_load_does_not_overflow() => Assert.InRange(
        new LoadReport(1, LoadReport.MostJobs, LoadReport.MostJobs, LoadReport.LongestMeanNs).WaitNs, 7e18, long.MaxValue);
}
