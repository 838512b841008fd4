namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>The nodes and the jobs of a run, the same for each policy: Poisson arrivals, log-normal times.</summary>
internal sealed class Arrivals
{
    private static readonly double[] Speeds = [0.6, 1, 1.6];

    private readonly Shape _shape;
    private readonly Random _random;
    private readonly double _gapNs;
    private int _count;
    private double _nowNs;

    public Arrivals(Shape shape, int seed)
    {
        (_shape, _random) = (shape, new Random(seed));
        Nodes = [.. Enumerable.Range(0, shape.Nodes).Select(i => new SimNode(i, _random.Next(4, 17), Speeds[_random.Next(3)]))];
        double perNs = Nodes.Sum(node => node.Slots * node.Speed) / Shape.MeanNs;
        _gapNs = 1 / (Shape.Load * perNs);
    }

    public SimNode[] Nodes { get; }

    /// <summary>The next job, or null after the last one.</summary>
    public SimJob? Next()
    {
        if (_count == _shape.Jobs)
        {
            return null;
        }

        _nowNs += -Math.Log(1 - _random.NextDouble()) * _gapNs;
        double sigma = Math.Sqrt(Math.Log(1 + Shape.Variation));
        double normal = Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble());
        double work = Shape.MeanNs * Math.Exp((sigma * normal) - (sigma * sigma / 2));
        return new SimJob(_count++, _random.Next(_shape.Clients), (long)_nowNs, work);
    }
}
