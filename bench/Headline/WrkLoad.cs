using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Headline;

/// <summary>The load of wrk, for what speaks HTTP/1: it has one request in flight on a connection.</summary>
internal static partial class WrkLoad
{
    public static async Task<LoadFigures> MeasureAsync(BenchSystem system, Shape shape, double seconds)
    {
        double before = ProcessTree.CpuSeconds(system.Pids);
        ProcessStartInfo start = new(
            "wrk", ["-t1", $"-c{shape.Connections}", $"-d{Math.Max(1, (int)Math.Ceiling(seconds))}s", "--latency",
                "http" + system.Endpoint["tcp".Length..]])
        {
            RedirectStandardOutput = true,
        };
        using Process wrk = Process.Start(start)!;
        string output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        Match requests = Requests().Match(output);
        if (!requests.Success)
        {
            return LoadFigures.Failed("wrk: " + output.ReplaceLineEndings(" "));
        }

        double count = double.Parse(requests.Groups[1].Value, CultureInfo.InvariantCulture);
        double rate = double.Parse(Rate().Match(output).Groups[1].Value, CultureInfo.InvariantCulture);
        double cpu = ProcessTree.CpuSeconds(system.Pids) - before;
        return new LoadFigures(
            rate, Percentile(output, "50"), Percentile(output, "99"), 0, cpu / count * 1e6,
                0,
            ProcessTree.RssBytes(system.Pids), (long)count, 0, null, "");
    }

    private static double Percentile(string output, string percent)
    {
        Match match = Regex.Match(output, $@"^\s+{percent}%\s+([\d.]+)(us|ms|s)", RegexOptions.Multiline);
        return match.Success
            ? double.Parse(match.Groups[1].Value,
                CultureInfo.InvariantCulture) * (match.Groups[2].Value switch { "us" => 1, "ms" => 1e3, _ => 1e6 })
            : 0;
    }

    [GeneratedRegex(@"(\d+) requests in")]
    private static partial Regex Requests();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Rate();
}
