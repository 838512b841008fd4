using System.Text;
using System.Text.Json;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Scale;

/// <summary>The tables, on the screen and in artifacts/bench.</summary>
internal static class ScaleReport
{
    /// <summary>Costs within this factor are called flat: what a noisy machine does by itself.</summary>
    private const double Flat = 1.3;

    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true,
        NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    public static void Write(IReadOnlyList<Axis> axes, IReadOnlyList<IdleMemory> memory, TimeSpan took)
    {
        string machine = $"{Machine.Describe()}; {took.TotalSeconds:F0} s. Versions: {Machine.Versions()}.";
        StringBuilder text = new();
        text.AppendLine($"# The cost of a request against the number of things: medians of 3 (min..max)\n\n{machine}\n");
        text.AppendLine("s/M = CPU seconds of the node with its slaves per million requests of 64 bytes. Turns, receives, sends and "
            + "bells of the loop are per request.\n");
        foreach (Axis axis in axes)
        {
            Add(text, axis);
        }

        if (memory.Count > 0)
        {
            text.AppendLine("## Memory of idle connections\n\n| connections | bytes of node memory each |\n| --: | --: |");
        }

        foreach (IdleMemory idle in memory)
        {
            text.AppendLine($"| {idle.Connections:N0} | {idle.BytesEach:N0} |");
        }

        string folder = Path.Combine(Catalog.Root, "artifacts/bench");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "scale.md"), text.ToString());
        File.WriteAllText(Path.Combine(folder, "scale.json"), JsonSerializer.Serialize(new { machine, axes, memory }, Json));
        File.WriteAllText(Path.Combine(folder, "scale.svg"), ScaleChart.Draw(axes, Machine.Describe()));
        Console.WriteLine(text);
    }

    /// <summary>What the dearest place does more than the cheapest: s/M is also µs a request.</summary>
    private static string Difference(Axis axis)
    {
        ScalePoint[] points = [.. axis.Points.Where(point => point.IsGood && point.X >= axis.FlatFrom).OrderBy(point => point.Cpu.Median)];
        if (points.Length < 2 || axis.Ratio <= Flat)
        {
            return "";
        }

        ScalePoint low = points[0], high = points[^1];
        return $"From {low.X:N0} to {high.X:N0} a request costs {high.Cpu.Median - low.Cpu.Median:F1} µs more, with "
            + $"{More(node => node.Turns)} turns, {More(node => node.Receives + node.Sends)} receives and sends and "
            + $"{More(node => node.Bells)} bells. ";

        string More(Func<NodeCounts, double> of) => Math.Round(high.Count(of) - low.Count(of), 3).ToString("+0.000;-0.000;0.000");
    }

    private static void Add(StringBuilder text, Axis axis)
    {
        bool compares = axis.Limit.Count > 0;
        text.AppendLine($"## {axis.Name} ({axis.Shape})\n");
        text.AppendLine($"| {axis.Name} | s/M | requests/s | p50 µs | turns | receives | sends | bells |"
            + (compares ? " C echo s/M | ours / C echo |" : ""));
        text.AppendLine($"| --: | --: | --: | --: | --: | --: | --: | --: |{(compares ? " --: | --: |" : "")}");
        for (int i = 0; i < axis.Points.Count; i++)
        {
            ScalePoint point = axis.Points[i];
            if (!point.IsGood)
            {
                text.AppendLine($"| {point.X:N0} | {point.Error} | | | | | | |{(compares ? " | |" : "")}");
                continue;
            }

            text.Append($"| {point.X:N0} | {point.Cpu.Show("F2")} | {point.RequestsPerSecond.Median:N0} | {point.P50Us.Median:F1} "
                + $"| {point.Count(node => node.Turns):F3} | {point.Count(node => node.Receives):F3} "
                + $"| {point.Count(node => node.Sends):F3} | {point.Count(node => node.Bells):F3} |");
            text.AppendLine(!compares ? "" : axis.Limit[i].IsGood
                ? $" {axis.Limit[i].Cpu.Median:F2} | {point.Cpu.Median / axis.Limit[i].Cpu.Median:F2} |" : $" {axis.Limit[i].Error} | |");
        }

        string from = axis.FlatFrom > axis.Points[0].X ? $" from {axis.FlatFrom:N0} on" : "";
        string verdict = axis.Ratio <= Flat ? "Flat" : "Not flat";
        text.AppendLine($"\n{verdict}{from}: the dearest is {axis.Ratio:F2} × the cheapest. {Difference(axis)}{axis.Why}\n");
    }
}
