using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Rollouts;

/// <summary>Another version over the nodes.</summary>
public class RolloutTests
{
    private static readonly Member[] Nodes = [new("a", "a"), new("b", "b"), new("c", "c")];

    [Fact]
    public void Never_more_than_a_batch_is_unproven_and_a_broken_version_comes_to_an_end() =>
        Schedules.RunAll(seed => new RolloutWorld(seed, RolloutFault.None).Run());

    [Theory]
    [InlineData(RolloutFault.CountsUnproven, "nodes are unproven")]
    [InlineData(RolloutFault.HidesFailure, "a broken version is on all nodes")]
    [InlineData(RolloutFault.GoesOn, "the rollout stands still")]
    [InlineData(RolloutFault.SkipsSettling, "counts as proven before its time|a good version did not come")]
    internal void A_broken_rollout_is_seen(RolloutFault fault, string expected) =>
        Schedules.MustBeSeen(seed => new RolloutWorld(seed, fault).Run(), expected);

    /// <summary>The share of errors counts from 20 jobs on, and against the version before on the same node.</summary>
    [Theory]
    [InlineData(10, 9, 0, false)]
    [InlineData(99, 1, 0, false)]
    [InlineData(97, 3, 0, true)]
    [InlineData(97, 3, 2, false)]
    [InlineData(95, 5, 2, true)]
    public void A_version_is_judged_by_its_errors(long done, long failed, double beforePercent, bool isBad)
    {
        Rollout rollout = new("app", new RolloutRule());
        RolloutPlan plan = new(1, 2, ["a"], []);
        AppStatus status = new(2, AppState.Ready, done, failed, beforePercent);
        RolloutPlan? next = rollout.Next(plan, Nodes, _ => status, 0);
        Assert.Equal(isBad ? RolloutStage.RolledBack : null, next?.Stage);
    }

    [Fact]
    public void The_worst_nodes_come_first()
    {
        Member[] nodes = [Nodes[0], Nodes[1] with { IsDraining = true }, Nodes[2]];
        AppStatus StatusOf(string node) => new(1, node == "c" ? AppState.Failed : AppState.Ready);
        Rollout rollout = new("app", new RolloutRule { Batch = 2 });
        Assert.Equal(["b", "c"], rollout.Next(new RolloutPlan(1, 2, [], []), nodes, StatusOf, 0)!.Go);
    }

    [Fact]
    public void Nodes_outside_of_the_plan_run_the_version_before()
    {
        RolloutPlan plan = new(1, 2, ["a"], []);
        Assert.Equal([2, 1], [plan.VersionFor("a"), plan.VersionFor("new")]);
        Assert.Equal([2, 1], [(plan with { Stage = RolloutStage.Stopped }).VersionFor("a"), (plan with { Stage = RolloutStage.Stopped }).VersionFor("b")]);
        Assert.Equal(2, (plan with { Stage = RolloutStage.Done }).VersionFor("new"));
        Assert.Equal(1, (plan with { Stage = RolloutStage.RolledBack }).VersionFor("a"));
    }

    [Fact]
    public void A_node_that_does_not_start_the_version_in_its_time_fails_it()
    {
        Rollout rollout = new("app", new RolloutRule { RollsBack = false });
        RolloutPlan plan = new(1, 2, ["a"], []);
        AppStatus status = new(1, AppState.NoCode);
        Assert.Null(rollout.Next(plan, Nodes, _ => status, 0));
        Assert.Null(rollout.Next(plan, Nodes, _ => status, 20_000));
        Assert.Equal(RolloutStage.Stopped, rollout.Next(plan, Nodes, _ => status, 20_001)!.Stage);
    }

    [Fact]
    public void A_batch_may_be_a_part_of_the_nodes() =>
        Assert.Equal([1, 1, 10], [new RolloutRule { BatchPercent = 10 }.BatchOf(3), new RolloutRule().BatchOf(100), new RolloutRule { BatchPercent = 10 }.BatchOf(100)]);
}
