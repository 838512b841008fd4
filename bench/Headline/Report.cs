using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
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

    public static void Write(List<Row> rows, List<(string What, double Ms)> starts, List<string> missing, TimeSpan took)
    {
        string machine = $"{CpuModel()}, {Environment.ProcessorCount} CPUs, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}, "
            + $"{DateTime.UtcNow:yyyy-MM-dd}, {took.TotalSeconds:F0} s";
        string text = Markdown(rows, starts, missing, machine);
        string folder = Path.Combine(Catalog.Root, "artifacts/bench");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "headline.md"), text);
        File.WriteAllText(Path.Combine(folder, "headline.json"), JsonSerializer.Serialize(new { machine, rows, missing }, Json));
        File.WriteAllText(Path.Combine(folder, "headline.svg"),
            Chart.Draw([.. rows.Where(row => row.Shape == Shape.Main.ToString())], machine));
        Console.WriteLine(text);
    }

    private static string Markdown(List<Row> rows, List<(string What, double Ms)> starts, List<string> missing, string machine)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"# Echo, each system in turns, medians of 3 (min..max)\n\n{machine}\n");
        text.AppendLine("s/M = CPU seconds (user and system) per million requests, of all processes of a side. × = server CPU of the stock Pipelines echo, divided by this.\n");
        foreach (IGrouping<string, Row> shape in rows.GroupBy(row => row.Shape))
        {
            double stock = shape.FirstOrDefault(row => row.System.Contains("Pipelines", StringComparison.Ordinal))?.ServerCpuPerMillion
                ?? double.NaN;
            text.AppendLine(CultureInfo.InvariantCulture, $"## {shape.Key}\n");
            text.AppendLine("| system | requests/s | p50 µs | p99 | p99.9 | server s/M | × | client s/M | RSS MiB | B allocated |");
            text.AppendLine("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
            foreach (Row row in shape)
            {
                text.AppendLine(row.Error.Length > 0 ? $"| {row.System} | {row.Error} |" : string.Create(CultureInfo.InvariantCulture,
                    $"| {row.System} | {row.RequestsPerSecond:N0} ({row.RequestsPerSecondMin:N0}..{row.RequestsPerSecondMax:N0}) | {row.P50Us:F1} | {row.P99Us:F0} | {row.P999Us:F0} "
                    + $"| {row.ServerCpuPerMillion:F2} ({row.ServerCpuPerMillionMin:F2}..{row.ServerCpuPerMillionMax:F2}) | {stock / row.ServerCpuPerMillion:F2} "
                    + $"| {row.ClientCpuPerMillion:F2} | {row.RssMiB:F0} | {(row.AllocatedBytesPerRequest is { } bytes ? bytes.ToString("F2", CultureInfo.InvariantCulture) : "")} |"));
            }

            text.AppendLine();
        }

        foreach ((string what, double ms) in starts)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"Start to first answer, {what}: {ms:F0} ms (median of 5).");
        }

        missing.ForEach(line => text.AppendLine(CultureInfo.InvariantCulture, $"Not here, skipped: {line}"));
        return text.ToString();
    }

    private static string CpuModel() => File.ReadLines("/proc/cpuinfo")
        .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString();
}
