using Cocaine.Fast.Bench.Load;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>All that was measured of one system with one shape: medians, and the range of what ratios are made of.</summary>
internal sealed record Row(
    string System, string Shape, double RequestsPerSecond, double RequestsPerSecondMin, double RequestsPerSecondMax, double P50Us,
        double P99Us,
    double P999Us, double ServerCpuPerMillion, double ServerCpuPerMillionMin, double ServerCpuPerMillionMax, double ClientCpuPerMillion,
    double RssMiB, double? AllocatedBytesPerRequest, long Wrong, string Error)
{
    public static Row Of(string system, string shape, IReadOnlyList<LoadFigures> runs)
    {
        LoadFigures[] good = [.. runs.Where(run => run.Error.Length == 0)];
        if (good.Length == 0)
        {
            return new Row(system, shape, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, 0, runs[0].Error);
        }

        return new Row(
            system, shape, Median(run => run.RequestsPerSecond), good.Min(run => run.RequestsPerSecond),
                good.Max(run => run.RequestsPerSecond),
            Median(run => run.P50Us), Median(run => run.P99Us), Median(run => run.P999Us), Median(run => run.ServerCpuPerMillion),
            good.Min(run => run.ServerCpuPerMillion), good.Max(run => run.ServerCpuPerMillion), Median(run => run.ClientCpuPerMillion),
            Median(run => run.ServerRssBytes) / (1 << 20),
            good[0].AllocatedBytesPerRequest is null ? null : Median(run => run.AllocatedBytesPerRequest ?? 0), good.Sum(run => run.Wrong),
                "");

        double Median(Func<LoadFigures, double> of) => good.Select(of).Order().ElementAt(good.Length / 2);
    }
}
