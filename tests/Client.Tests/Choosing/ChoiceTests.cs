using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Client.Tests.Choosing;

/// <summary>A client's choice among nodes.</summary>
public class ChoiceTests
{
    private const long Ms = 1_000_000;

    private static NodeNews Node(int slots, int running, long meanNs = 20 * Ms)
    {
        NodeNews node = new();
        node.OnReport(new LoadReport(slots, running, 0, meanNs), 0);
        return node;
    }

    private static int[] Spread(NodeNews[] nodes, long nowNs, int calls = 3000)
    {
        int[] chosen = new int[nodes.Length];
        Random random = new(1);
        for (int i = 0; i < calls; i++)
        {
            chosen[NodeChoice.Choose(nodes, nowNs, random)]++;
        }

        return chosen;
    }

    [Fact]
    public void Free_faster_and_emptier_nodes_are_preferred()
    {
        Assert.Equal([0, 3000, 0], Spread([Node(4, 8), Node(4, 1), Node(4, 8)], 0)); // free
        Assert.Equal([0, 3000, 0], Spread([Node(4, 1), Node(4, 1, 10 * Ms), Node(4, 1)], 0)); // faster
        Assert.Equal([0, 3000, 0], Spread([Node(4, 3), Node(4, 1), Node(4, 3)], 0)); // emptier
    }

    [Fact]
    public void Equal_nodes_get_equal_shares() =>
        Assert.All(Spread([.. Enumerable.Range(0, 10).Select(_ => Node(4, 1))], 0), calls => Assert.InRange(calls, 240, 360));

    /// <summary>Without any news the calls of the client itself count: one after the other goes where the fewest are.</summary>
    [Fact]
    public void Own_calls_count_where_nodes_tell_nothing()
    {
        NodeNews[] nodes = [new(), new(), new()];
        Random random = new(1);
        for (int i = 0; i < 300; i++)
        {
            nodes[NodeChoice.Choose(nodes, i, random)].OnSent(i);
        }

        Assert.All(nodes, node => Assert.Equal(100, node.InFlight));
    }

    [Fact]
    public void Silent_refusing_and_lost_nodes_are_avoided_for_a_while()
    {
        NodeNews silent = Node(4, 0), idle = Node(4, 0), refused = Node(4, 0), asked = Node(4, 0), lost = Node(4, 0), old = new();
        silent.OnSent(0);
        old.OnSent(0);
        refused.OnRefused(0, null);
        asked.OnRefused(0, 500 * Ms);
        lost.OnLost(0);
        NodeNews[] all = [silent, idle, refused, asked, lost, old];
        Assert.Equal([false, false, true, true, true, false], all.Select(node => node.IsAvoided(1 * Ms)));
        Assert.Equal([true, false, false, true, true, false], all.Select(node => node.IsAvoided(251 * Ms)));
        Assert.Equal([true, false, false, false, false, false], all.Select(node => node.IsAvoided(1000 * Ms)));
        silent.OnAnswered(1000 * Ms);
        Assert.False(silent.IsAvoided(1000 * Ms));
        Assert.Equal(1, NodeChoice.Choose([refused, idle], 1 * Ms, new Random(1)));
        Assert.Equal(0, NodeChoice.Choose([refused], 1 * Ms, new Random(1))); // a call is never held back
    }

    [Fact]
    public void News_fades_towards_a_usual_load()
    {
        NodeNews full = Node(10, 40), empty = Node(10, 0);
        Assert.True(full.CompletionNs(0) > empty.CompletionNs(0) * 3);
        Assert.Equal(full.CompletionNs(20_000 * Ms), empty.CompletionNs(20_000 * Ms), 1e3);
    }

    [Fact]
    public void Hostile_loads_are_not_taken()
    {
        NodeNews node = Node(4, 1);
        double before = node.CompletionNs(0);
        node.OnReport(new LoadReport(int.MaxValue, 0, 0, 0), 0);
        Assert.Equal(before, node.CompletionNs(0));
    }

    [Fact]
    public void Retries_are_a_tenth_of_the_calls_and_ten_a_second()
    {
        RetryBudget budget = new(0);
        Assert.Equal(10, Retries(budget, 0));
        Assert.Equal(10, Retries(budget, 1000 * Ms));
        for (int i = 0; i < 500; i++)
        {
            budget.OnCall();
        }

        Assert.InRange(Retries(budget, 1000 * Ms), 49, 50);
        Assert.Equal(100, Retries(budget, 3_600_000 * Ms)); // nothing is saved up for longer than ten seconds
        Assert.Equal(0, Retries(budget, 0)); // a clock that goes back gives nothing
    }

    private static int Retries(RetryBudget budget, long nowNs)
    {
        int count = 0;
        while (budget.TryRetry(nowNs))
        {
            count++;
        }

        return count;
    }
}
