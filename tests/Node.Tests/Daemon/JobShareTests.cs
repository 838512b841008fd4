using Cocaine.Fast.Node.Cluster;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>The share of failed jobs, by which a version is compared with the one before.</summary>
public class JobShareTests
{
    [Fact]
    public void Jobs_count_from_the_change_on_and_the_minute_before_is_compared()
    {
        JobShare share = new();
        Assert.Equal((0, 0, 0), share.Of(made: 1, others: 1000, failed: 500, nowMs: 0)); // what was before this node looked says nothing
        share.Of(1, 2000, 500, 30_000);
        share.Of(1, 2000, 500, 70_000); // the first look is older than a minute
        Assert.Equal((1098, 2, 0), share.Of(1, 2098, 502, 80_000));
        Assert.Equal((0, 0, 2), share.Of(2, 2098, 502, 81_000)); // 2 of 100
        Assert.Equal((10, 5, 2), share.Of(2, 2108, 507, 82_000));
        Assert.Equal((0, 0, 0), share.Of(3, 2108, 507, 83_000)); // 5 of 15 are too few to say anything
    }

    /// <summary>A change is seen some time after it was made: a version that fails from its first job on must not be its own measure.</summary>
    [Fact]
    public void Jobs_of_the_new_version_do_not_count_for_the_one_before()
    {
        JobShare share = new();
        share.Of(1, 1000, 0, 0);
        share.Of(1, 2000, 0, 500);
        Assert.Equal((0, 0, 0), share.Of(2, 2000, 400, 1000)); // 400 jobs of version 2 before this look
        Assert.Equal((0, 600, 0), share.Of(2, 2000, 1000, 1500));
    }

    [Fact]
    public void An_app_that_ended_and_began_again_is_counted_from_its_start()
    {
        JobShare share = new();
        share.Of(1, 1000, 500, 0);
        Assert.Equal((7, 1, 0), share.Of(1, 7, 1, 1000));
        Assert.Equal((8, 1, 0), share.Of(1, 8, 1, 2000));
    }
}
