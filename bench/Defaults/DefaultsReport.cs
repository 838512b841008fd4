using System.Text;
using Cocaine.Fast.Bench.Headline;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Defaults;

/// <summary>The table of the default manifest.</summary>
internal static class DefaultsReport
{
    /// <summary>The table and the aims, for a run of its own.</summary>
    public static string Text(DefaultFigures figures)
    {
        StringBuilder text = new($"{Machine.Describe()}\n\n{Table(figures)}\n");
        Aim.Table(text, figures.Aims());
        figures.Missing.ToList().ForEach(line => text.Append($"\nNot here, skipped: {line}\n"));
        return text.ToString();
    }

    /// <summary>The table alone.</summary>
    public static string Table(DefaultFigures figures)
    {
        StringBuilder text = new("## The default manifest\n\nEcho of 64 B, 32×8. The manifest has a queue-limit that lets 256 requests in, "
            + "and pool-limit and pool-minimum where slaves are named. × = as a part of the row that it is compared with: "
            + "the same app with concurrency 256, with fewer slaves, or without the slow job.\n\n");
        text.Append("| app | requests/s | × | p50 µs | p99 | p99.9 | node s/M | × | slaves s/M | RSS MiB | B |\n");
        text.Append("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |\n");
        IEnumerable<Reading> all = figures.BesideSlow is { Beside: { } without } beside
            ? [.. figures.Languages, .. figures.Slaves, new Reading(without, null), beside] : [.. figures.Languages, .. figures.Slaves];
        foreach (Reading one in all)
        {
            Row row = one.Row;
            text.Append(row.Error.Length > 0 ? $"| {row.System} | {row.Error} | | | | | | | | | |\n"
                : $"| {row.System} | {row.RequestsPerSecond.Show("N0")} | {Part(one.Speed)} | {row.P50Us.Median:F0} "
                + $"| {row.P99Us.Median:F0} | {row.P999Us.Median:F0} | {row.RootCpuPerMillion.Show("F2")} | {Part(one.NodeCpu)} "
                + $"| {row.ServerCpuPerMillion.Median - row.RootCpuPerMillion.Median:F2} | {row.RssMiB.Median:F0} "
                + $"| {row.AllocatedBytesPerRequest?.Median:F2} |\n");
        }

        return text.ToString();
    }

    private static string Part(double value) => double.IsNaN(value) ? "" : $"{value:F2}";
}
