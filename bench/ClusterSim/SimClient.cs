using Cocaine.Fast.Client.Choosing;
using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>One simulated client with the nodes that it knows.</summary>
internal sealed class SimClient
{
    private readonly Policy _policy;
    private readonly Random _random;
    private readonly NodeNews[] _news;
    private readonly LoadReport[] _old;
    private readonly double[] _peak;
    private int _next;

    public SimClient(Policy policy, SimNode[] nodes, Random random)
    {
        (_policy, _random) = (policy, random);
        Nodes = policy == Policy.OneNode ? [nodes[0]] : [.. Shuffled(nodes, random).Take(Shape.KnownNodes)];
        _news = [.. Nodes.Select(_ => new NodeNews())];
        _old = [.. Nodes.Select(node => new LoadReport(node.Slots, 0, 0, 0))];
        _peak = new double[Nodes.Length];
        _next = random.Next(Nodes.Length);
    }

    public SimNode[] Nodes { get; }

    /// <summary>The index of the node for the next call.</summary>
    public int Choose(long nowNs)
    {
        int chosen = _policy switch
        {
            Policy.Random => _random.Next(Nodes.Length),
            Policy.RoundRobin => _next = (_next + 1) % Nodes.Length,
            Policy.TwoByOwn => BetterOfTwo(i => _news[i].InFlight),
            Policy.TwoByPeak => BetterOfTwo(i => (_news[i].InFlight + 1) * _peak[i]),
            Policy.TwoByReport => BetterOfTwo(i => _old[i].WaitNs),
            Policy.LeastReported => Least(),
            Policy.Ours => NodeChoice.Choose(_news, nowNs, _random),
            _ => _policy == Policy.Sticky ? _next : 0,
        };
        _news[chosen].OnSent(nowNs);
        return chosen;
    }

    /// <summary>Every 100 ms: nodes tell their load to clients that have calls there.</summary>
    public void OnReports(long nowNs, bool isSecond)
    {
        for (int i = 0; i < Nodes.Length; i++)
        {
            if (_policy == Policy.Ours && _news[i].InFlight > 0)
            {
                _news[i].OnReport(Nodes[i].Report, nowNs);
            }

            if (isSecond)
            {
                _old[i] = Nodes[i].Report;
            }
        }
    }

    public void OnAnswer(SimJob job, in LoadReport load, long nowNs)
    {
        NodeNews news = _news[job.Choice];
        news.OnAnswered(nowNs);
        if (job.IsFailed)
        {
            news.OnRefused(nowNs, null);
        }

        news.OnReport(load, nowNs);
        double took = nowNs - job.BornNs;
        _peak[job.Choice] = took > _peak[job.Choice] ? took : (0.9 * _peak[job.Choice]) + (0.1 * took);
    }

    public static SimNode[] Shuffled(SimNode[] nodes, Random random)
    {
        SimNode[] copy = [.. nodes];
        random.Shuffle(copy);
        return copy;
    }

    private int BetterOfTwo(Func<int, double> cost)
    {
        int one = _random.Next(Nodes.Length), other = _random.Next(Nodes.Length);
        return cost(other) < cost(one) ? other : one;
    }

    private int Least()
    {
        int first = _random.Next(Nodes.Length), best = first;
        for (int i = 1; i < Nodes.Length; i++)
        {
            int at = (first + i) % Nodes.Length;
            best = _old[at].WaitNs < _old[best].WaitNs ? at : best;
        }

        return best;
    }
}
