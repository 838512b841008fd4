using Cocaine.Fast.Bench.Load;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>A median and the range that it lies in.</summary>
internal readonly record struct Figure(double Median, double Min, double Max)
{
    public static Figure Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Figure(sorted[sorted.Length / 2], sorted[0], sorted[^1]);
    }

    /// <summary><c>median (min..max)</c> in a number format.</summary>
    public string Show(string format) => $"{Median.ToString(format)} ({Min.ToString(format)}..{Max.ToString(format)})";
}

/// <summary>All that was measured of one system with one shape.</summary>
internal sealed record Row(string System, string Shape, string Error, long Wrong)
{
    public Figure RequestsPerSecond { get; init; }

    public Figure P50Us { get; init; }

    public Figure P99Us { get; init; }

    public Figure P999Us { get; init; }

    /// <summary>CPU seconds per million requests of all of the server's processes.</summary>
    public Figure ServerCpuPerMillion { get; init; }

    /// <summary>Of it the server's own processes without their children: of ours, the node.</summary>
    public Figure RootCpuPerMillion { get; init; }

    public Figure ClientCpuPerMillion { get; init; }

    public Figure RssMiB { get; init; }

    /// <summary>Of the node's process; null for others.</summary>
    public Figure? AllocatedBytesPerRequest { get; init; }

    public static Row Of(string system, string shape, IReadOnlyList<LoadFigures> runs)
    {
        LoadFigures[] good = [.. runs.Where(run => run.Error.Length == 0)];
        if (good.Length == 0)
        {
            return new Row(system, shape, runs[0].Error, 0);
        }

        return new Row(system, shape, "", good.Sum(run => run.Wrong))
        {
            RequestsPerSecond = Of(run => run.RequestsPerSecond),
            P50Us = Of(run => run.P50Us),
            P99Us = Of(run => run.P99Us),
            P999Us = Of(run => run.P999Us),
            ServerCpuPerMillion = Of(run => run.ServerCpuPerMillion),
            RootCpuPerMillion = Of(run => run.RootCpuPerMillion),
            ClientCpuPerMillion = Of(run => run.ClientCpuPerMillion),
            RssMiB = Of(run => run.ServerRssBytes / (double)(1 << 20)),
            AllocatedBytesPerRequest = good[0].Node is null ? null : Of(run => run.Node!.AllocatedBytes),
        };

        Figure Of(Func<LoadFigures, double> of) => Figure.Of(good.Select(of));
    }
}
