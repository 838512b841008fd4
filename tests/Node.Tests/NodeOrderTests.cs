using Cocaine.Fast.Node.Locator;

namespace Cocaine.Fast.Node.Tests;

public class NodeOrderTests
{
    private static readonly (string, long, string)[] Nodes = [.. Enumerable.Range(1, 12).Select(i => ($"uuid-{i}", (long)i, $"node {i}"))];

    [Fact]
    public void A_node_is_first_as_often_as_its_slots_say_and_eight_are_named()
    {
        const int Answers = 39_000;
        Random random = new(1);
        Dictionary<string, int> firsts = [];
        for (int i = 0; i < Answers; i++)
        {
            string[] order = [.. NodeOrder.Of(Nodes, null, random)];
            Assert.Equal(NodeOrder.MostNodes, order.Distinct().Count());
            firsts[order[0]] = firsts.GetValueOrDefault(order[0]) + 1;
        }

        Assert.All(Nodes, node => Assert.InRange(firsts[node.Item3], (int)(0.8 * node.Item2 * Answers / 78), (int)(1.2 * node.Item2 * Answers / 78)));
    }

    [Fact]
    public void A_seed_gives_one_order_which_a_lost_node_leaves_to_the_others()
    {
        Random random = new(2);
        HashSet<string> firsts = [];
        for (byte seed = 0; seed < 100; seed++)
        {
            string[] order = [.. NodeOrder.Of(Nodes, [seed], random)];
            Assert.Equal(order, NodeOrder.Of(Nodes.Reverse(), [seed], random));
            Assert.Equal(order[1..], NodeOrder.Of(Nodes.Where(node => node.Item3 != order[0]), [seed], random).Take(7));
            firsts.Add(order[0]);
        }

        Assert.True(firsts.Count > 6, "seeds differ");
    }
}
