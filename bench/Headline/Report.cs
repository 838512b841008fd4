using System.Text;
using System.Text.Json;
using Cocaine.Fast.Bench.Defaults;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>The table, on the screen and in artifacts/bench.</summary>
internal static class Report
{
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write(
        DefaultFigures defaults, IReadOnlyList<Row> rows, Extras extras, IReadOnlyList<string> missing, TimeSpan took)
    {
        string machine = Machine.Describe(), versions = Machine.Versions();
        IReadOnlyList<Aim> aims = [.. defaults.Aims(), .. new Aims(rows, extras).All()];
        string header = $"{machine}; {took.TotalSeconds:F0} s.\n\nVersions: {versions}.";
        string text = Markdown(defaults, rows, extras, aims, [.. defaults.Missing, .. missing], header);
        string folder = Path.Combine(Catalog.Root, "artifacts/bench");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "headline.md"), text);
        File.WriteAllText(Path.Combine(folder, "headline.json"),
            JsonSerializer.Serialize(new { machine, versions, defaults, rows, extras, aims, missing }, Json));
        File.WriteAllText(Path.Combine(folder, "headline.svg"),
            Chart.Draw([.. rows.Where(row => row.Shape == Shape.Main.ToString())], machine));
        Console.WriteLine(text);
    }

    private static string Markdown(
        DefaultFigures defaults, IReadOnlyList<Row> rows, Extras extras, IReadOnlyList<Aim> aims, IReadOnlyList<string> missing,
        string header)
    {
        StringBuilder text = new();
        Line(text, $"# Echo: each system in turns, medians of 3 (min..max)\n\n{header}\n");
        Line(text, DefaultsReport.Table(defaults));
        Line(text, "## Each pipe beside others\n\n");
        Line(text, "Concurrency 2048, one slave. The shape is connections × requests in flight on each. "
            + "s/M = CPU seconds (user and system, from /proc) per million "
            + "requests, of all processes of a side. "
            + $"× = server s/M of the {Catalog.PipelinesEcho}, divided by this. B = managed bytes that the node allocates per request.\n");
        Line(text, $"| shape | system | requests/s | p50 µs | p99 | p99.9 | server s/M | × | client s/M | RSS MiB | B |");
        Line(text, $"| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
        foreach (IGrouping<string, Row> shape in rows.GroupBy(row => row.Shape))
        {
            double stock = shape.FirstOrDefault(row => row.System == Catalog.PipelinesEcho)?.ServerCpuPerMillion.Median ?? double.NaN;
            foreach (Row row in shape)
            {
                Add(text, row, stock);
            }
        }

        Line(text, $"\n| start | to ready, ms | to the first answer, ms |\n| --- | --: | --: |");
        foreach (StartTime start in extras.Starts)
        {
            Line(text, $"| {start.What} | {start.ReadyMs.Show("F0")} | {start.AnsweredMs.Show("F0")} |");
        }

        Aim.Table(text, aims);
        text.AppendLine();
        foreach (string line in missing)
        {
            Line(text, $"Not here, skipped: {line}");
        }

        return text.ToString();
    }

    private static void Add(StringBuilder text, Row row, double stock)
    {
        if (row.Error.Length > 0)
        {
            Line(text, $"| {row.Shape} | {row.System} | {row.Error} | | | | | | | | |");
            return;
        }

        string factor = double.IsNaN(stock) ? "" : (stock / row.ServerCpuPerMillion.Median).ToString("F2");
        string bytes = row.AllocatedBytesPerRequest is { } figure ? figure.Median.ToString("F2") : "";
        Line(text, $"| {row.Shape} | {row.System} | {row.RequestsPerSecond.Show("N0")} | {row.P50Us.Show("F1")} | {row.P99Us.Median:F0} "
            + $"| {row.P999Us.Median:F0} | {row.ServerCpuPerMillion.Show("F2")} | {factor} | {row.ClientCpuPerMillion.Median:F2} "
            + $"| {row.RssMiB.Median:F0} | {bytes} |");
    }

    // The program runs without cultures (InvariantGlobalization): numbers in strings have one form.
    private static void Line(StringBuilder text, string line) => text.AppendLine(line);
}
