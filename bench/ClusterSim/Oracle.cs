namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>
/// The best that any policy without foresight could do: one queue before all nodes, and any free slot takes the next job.
/// </summary>
internal static class Oracle
{
    public static Figures Run(Shape shape, int seed)
    {
        Arrivals arrivals = new(shape, seed);
        PriorityQueue<SimNode, long> ends = new();
        Queue<SimJob> queue = [];
        List<SimNode> free = [.. arrivals.Nodes.SelectMany(node => Enumerable.Repeat(node, node.Slots))];
        List<long> took = [];
        Random random = new(seed);
        SimJob? next = arrivals.Next();
        while (next is not null || ends.Count > 0)
        {
            long now;
            if (next is not null && (!ends.TryPeek(out _, out long end) || next.BornNs <= end))
            {
                now = next.BornNs;
                queue.Enqueue(next);
                next = arrivals.Next();
            }
            else
            {
                ends.TryDequeue(out SimNode? node, out now);
                free.Add(node!);
            }

            while (queue.Count > 0 && free.Count > 0)
            {
                int slot = random.Next(free.Count);
                (SimNode node, free[slot]) = (free[slot], free[^1]);
                free.RemoveAt(free.Count - 1);
                SimJob job = queue.Dequeue();
                long done = now + (long)(job.WorkNs / node.Speed);
                ends.Enqueue(node, done);
                if (job.Number >= shape.Jobs * Shape.WarmUp)
                {
                    took.Add(done - job.BornNs + (2 * Shape.WayNs));
                }
            }
        }

        return Figures.Of(took, 0, 0, shape.Jobs);
    }
}
