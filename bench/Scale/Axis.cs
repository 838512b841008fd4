using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Load;

namespace Cocaine.Fast.Bench.Scale;

/// <summary>What was measured at one place of an axis.</summary>
/// <param name="X">How many of what the axis counts.</param>
/// <param name="Runs">The measurements that worked.</param>
/// <param name="Error">Why there is none; empty when there is.</param>
internal sealed record ScalePoint(double X, IReadOnlyList<LoadFigures> Runs, string Error)
{
    public bool IsGood => Error.Length == 0;

    public Figure Cpu => Figure.Of(Runs.Select(run => run.ServerCpuPerMillion));

    public Figure RequestsPerSecond => Figure.Of(Runs.Select(run => run.RequestsPerSecond));

    public Figure P50Us => Figure.Of(Runs.Select(run => run.P50Us));

    /// <summary>A count of the node's loop per request; NaN for others' servers.</summary>
    public double Count(Func<NodeCounts, double> of) => Figure.Of(Runs.Select(run => run.Node is null ? double.NaN : of(run.Node))).Median;
}

/// <summary>One line of the chart: the cost of a request against the number of something.</summary>
/// <param name="Name">What grows.</param>
/// <param name="Shape">What else there is.</param>
/// <param name="Points">Where it was measured.</param>
/// <param name="Why">What decides the cost along it.</param>
internal sealed record Axis(string Name, string Shape, IReadOnlyList<ScalePoint> Points, string Why)
{
    /// <summary>From here on the line is called flat: what is batched below it is not the same work.</summary>
    public double FlatFrom { get; init; }

    /// <summary>Of something that does nothing but the same socket calls, for comparison; empty where there is none.</summary>
    public IReadOnlyList<ScalePoint> Limit { get; init; } = [];

    /// <summary>The most of the cost over the least, from <see cref="FlatFrom"/> on.</summary>
    public double Ratio
    {
        get
        {
            double[] costs = [.. Points.Where(point => point.IsGood && point.X >= FlatFrom).Select(point => point.Cpu.Median)];
            return costs.Length == 0 ? double.NaN : costs.Max() / costs.Min();
        }
    }
}
