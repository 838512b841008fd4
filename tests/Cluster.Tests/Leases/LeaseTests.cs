using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Leases;

/// <summary>One of the cluster, whatever happens to the engine, the nodes and their clocks.</summary>
public class LeaseTests
{
    [Fact]
    public void At_most_one_node_acts_and_no_tick_runs_twice() => Schedules.RunAll(seed => new LeaseWorld(seed, LeaseFault.None).Run());

    [Theory]
    [InlineData(null, 99_000)]
    [InlineData(95_000L, 95_000)]
    [InlineData(80_000L, 90_000)]
    public void Ticks_of_ten_seconds_are_made_up(long? firedMs, long afterMs) => Assert.Equal(afterMs, MadeUpTicks.After(firedMs, 99_000, 100_000));

    [Theory]
    [InlineData(LeaseFault.CountsFromAnswer, "nodes hold the lease")]
    [InlineData(LeaseFault.TakesTooEarly, "nodes hold the lease")]
    [InlineData(LeaseFault.IgnoresRevision, "nodes hold the lease|runs twice")]
    [InlineData(LeaseFault.TrustsRefusal, "nodes hold the lease|runs twice")]
    [InlineData(LeaseFault.ForgetsFired, "runs twice")]
    internal void A_broken_lease_is_seen(LeaseFault fault, string expected) =>
        Schedules.MustBeSeen(seed => new LeaseWorld(seed, fault).Run(), expected);
}
