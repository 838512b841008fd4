using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;

namespace Cocaine.Fast.Cluster.Tests.Placing;

/// <summary>Where apps run.</summary>
public class PlacementTests
{
    private static Member[] Nodes(int count) =>
    [
        .. Enumerable.Range(0, count).Select(i => new Member($"uuid-{i}", $"n{i}")
        {
            Labels = new Dictionary<string, string> { ["zone"] = i % 2 == 0 ? "a" : "b" },
        }),
    ];

    [Fact]
    public void An_app_without_a_rule_runs_on_all_nodes_in_work()
    {
        Member[] nodes = Nodes(4);
        nodes[1] = nodes[1] with { IsDraining = true };
        nodes[2] = nodes[2] with { DownForMs = 60_001 };
        nodes[3] = nodes[3] with { DownForMs = 59_000 };
        Assert.Equal(["n0", "n3"], Placement.NodesOf("hello", PlacementRule.All, nodes).Select(node => node.Name).Order());
    }

    [Fact]
    public void Labels_choose_nodes()
    {
        PlacementRule rule = new() { Where = new Dictionary<string, IReadOnlyList<string>> { ["zone"] = ["b", "c"] } };
        Assert.Equal(["n1", "n3"], Placement.NodesOf("hello", rule, Nodes(4)).Select(node => node.Name).Order());
        PlacementRule none = new() { Where = new Dictionary<string, IReadOnlyList<string>> { ["gpu"] = ["yes"] } };
        Assert.Empty(Placement.NodesOf("hello", none, Nodes(4)));
    }

    /// <summary>A node that goes moves only its own apps, and each to another node; each node gets its share.</summary>
    [Fact]
    public void A_node_that_goes_moves_its_own_apps_only()
    {
        Member[] nodes = Nodes(10);
        PlacementRule rule = new() { Nodes = 3 };
        Dictionary<string, int> share = [];
        foreach (string app in Enumerable.Range(0, 1000).Select(i => $"app-{i}"))
        {
            string[] before = [.. Placement.NodesOf(app, rule, nodes).Select(node => node.Name)];
            string[] shuffled = [.. Placement.NodesOf(app, rule, nodes.Reverse()).Select(node => node.Name)];
            string[] after = [.. Placement.NodesOf(app, rule, nodes.Skip(1)).Select(node => node.Name)];
            Assert.Equal(before, shuffled);
            Assert.Equal(3, after.Length);
            Assert.Equal(before.Contains("n0") ? 2 : 3, before.Intersect(after).Count());
            Array.ForEach(before, name => share[name] = share.GetValueOrDefault(name) + 1);
        }

        Assert.All(share.Values, apps => Assert.InRange(apps, 240, 360)); // 300 each, if all were equal
    }

    [Fact]
    public void An_app_leaves_a_node_when_the_others_are_ready()
    {
        Member[] nodes = Nodes(2);
        Assert.False(Placement.MayLeave(nodes, node => node.Name == "n0"));
        Assert.True(Placement.MayLeave(nodes, _ => true));
        Assert.False(Placement.MayLeave([], _ => true));
        Assert.True(Placement.MayLeave([nodes[0], nodes[1] with { DownForMs = 1 }], node => node.Name == "n0"));
        Assert.False(Placement.MayLeave([nodes[1] with { DownForMs = 1 }], _ => true));
    }

    [Fact]
    public void Few_nodes_wait_for_a_lease_and_apps_spread_theirs()
    {
        Member[] nodes = Nodes(20);
        HashSet<string> first = [];
        for (int i = 0; i < 200; i++)
        {
            IReadOnlyList<Member> candidates = LeaseCandidates.Of($"app-{i}", nodes);
            Assert.Equal(LeaseLimits.Candidates, candidates.Count);
            first.Add(candidates[0].Name);
        }

        Assert.Equal(20, first.Count);
        Assert.Empty(LeaseCandidates.Of("app", [nodes[0] with { IsDraining = true }]));
    }
}
