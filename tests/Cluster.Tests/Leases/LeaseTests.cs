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

    /// <summary>The engine stood still for longer than the lease lasts, or came back from a start: then it may have forgotten another holder.</summary>
    [Theory]
    [InlineData("one", "one", true)]
    [InlineData("one", "two", false)]
    [InlineData(null, null, false)]
    public void A_holder_past_its_time_goes_on_where_the_engine_has_lived_on(string? before, string? after, bool goesOn)
    {
        Lease lease = new("a", 1);
        lease.OnAttached(before);
        lease.OnSeen(null, 0, 0);
        lease.OnWritten(lease.Next(isCandidate: true, LeaseLimits.PatienceMs)!, 1, LeaseLimits.PatienceMs);
        LeaseRecord mine = lease.Next(isCandidate: true, LeaseLimits.PatienceMs + LeaseLimits.RenewMs)!.Record;
        lease.OnDetached();
        const long Back = 30_000;
        lease.OnAttached(after);
        lease.OnSeen(mine, 2, Back);
        Assert.False(lease.IsHeld(Back));
        LeaseWrite? write = lease.Next(isCandidate: true, Back);
        Assert.Equal(goesOn ? 1 : null, write?.Record.Term);
        write ??= lease.Next(isCandidate: true, Back + LeaseLimits.PatienceMs)!;
        lease.OnWritten(write, 3, Back);
        Assert.Equal(goesOn ? 1 : 2, lease.Term);
    }

    [Theory]
    [InlineData(LeaseFault.CountsFromAnswer, "nodes hold the lease")]
    [InlineData(LeaseFault.TakesTooEarly, "nodes hold the lease")]
    [InlineData(LeaseFault.IgnoresRevision, "nodes hold the lease|runs twice")]
    [InlineData(LeaseFault.TrustsRefusal, "nodes hold the lease|runs twice")]
    [InlineData(LeaseFault.ForgetsFired, "runs twice")]
    [InlineData(LeaseFault.TrustsEngine, "nodes hold the lease|runs twice")]
    internal void A_broken_lease_is_seen(LeaseFault fault, string expected) =>
        Schedules.MustBeSeen(seed => new LeaseWorld(seed, fault).Run(), expected);
}
