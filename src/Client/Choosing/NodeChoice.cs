namespace Cocaine.Fast.Client.Choosing;

/// <summary>Chooses the node of a call: the best of some random ones, by the time at which the call will be done.</summary>
internal static class NodeChoice
{
    /// <summary>The index of the node. When all that were drawn are avoided, the least bad of them: a call is never held back.</summary>
    /// <param name="nodes">One node or more.</param>
    /// <param name="nowNs">The time, ns.</param>
    /// <param name="random">The source of the choice.</param>
    public static int Choose(ReadOnlySpan<NodeNews> nodes, long nowNs, Random random)
    {
        int best = -1;
        (bool, double, int) lowest = default;
        int first = random.Next(nodes.Length);
        for (int i = 0; i < ChoiceLimits.Compared && i < nodes.Length; i++)
        {
            int drawn = nodes.Length <= ChoiceLimits.Compared ? (first + i) % nodes.Length : random.Next(nodes.Length);
            NodeNews node = nodes[drawn];
            double completion = node.CompletionNs(nowNs);
            (bool, double, int) rank = (node.IsAvoided(nowNs), completion, node.InFlight);
            if (best < 0 || rank.CompareTo(lowest) < 0)
            {
                (best, lowest) = (drawn, rank);
            }
        }

        return best;
    }
}
