using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Bench.Load;

/// <summary>
/// The client's process: takes measurements to make from its standard input, a line of JSON each, and answers with figures. It stays up, so
/// that its own code is warm.
/// </summary>
internal static class LoadAgent
{
    public static async Task RunAsync()
    {
        while (Console.In.ReadLine() is { } line)
        {
            LoadFigures figures;
            try
            {
                figures = await MeasureAsync(JsonSerializer.Deserialize<LoadSpec>(line)!);
            }
            catch (Exception failure)
            {
                figures = LoadFigures.Failed(failure.Message);
            }

            Console.Out.WriteLine(JsonSerializer.Serialize(figures));
        }
    }

    private static async Task<LoadFigures> MeasureAsync(LoadSpec spec)
    {
        bool hasNode = spec.Protocol is "native" or "blob";
        await using NodeProbe? probe = hasNode ? await NodeProbe.OpenAsync(spec.Endpoint, spec.Connecting) : null;
        Load load = Load.Of(spec.Protocol);
        await load.StartAsync(spec);
        await Task.Delay(TimeSpan.FromSeconds(spec.WarmSeconds));

        // The questions to the node lie outside of the window of time and CPU: its counts are of a little more than the window.
        NodeCounts? nodeBefore = probe is null ? null : await probe.CountAsync();
        long everBefore = load.Tallies.Sum(tally => tally.Ever);
        Instant before = Instant.Now(spec.ServerPids);
        load.Tallies.ForEach(tally => tally.Counts = true);
        await Task.Delay(TimeSpan.FromSeconds(spec.Seconds));
        load.Tallies.ForEach(tally => tally.Counts = false);
        Instant after = Instant.Now(spec.ServerPids);
        long ever = load.Tallies.Sum(tally => tally.Ever) - everBefore;
        NodeCounts? node = nodeBefore is null ? null : await probe!.CountSinceAsync(nodeBefore);

        // The node's own count of jobs is of the same moments. With several apps it is one app's: then what was answered here.
        node = node?.Per(Math.Max(1, spec.Endpoints.Length == 1 ? node.Done : ever));
        long rss = ProcessTree.RssBytes(spec.ServerPids);
        await load.StopAsync();
        double millions = load.Tallies.Sum(tally => tally.Done) / 1e6;
        if (millions == 0)
        {
            return LoadFigures.Failed("no answer");
        }

        LatencyHistogram all = new();
        load.Tallies.ForEach(tally => all.Merge(tally.Latency));
        LatencySnapshot latency = all.Snapshot();
        double seconds = Stopwatch.GetElapsedTime(before.Ns, after.Ns).TotalSeconds;
        return new LoadFigures(
            millions * 1e6 / seconds, latency.P50 / 1e3, latency.P99 / 1e3, latency.P999 / 1e3, (after.Server - before.Server) / millions,
            (after.Roots - before.Roots) / millions, (after.Client - before.Client) / millions, rss,
            load.Tallies.Sum(tally => tally.Wrong), node, "");
    }

    /// <summary>Clocks, read together.</summary>
    private readonly record struct Instant(long Ns, double Server, double Roots, double Client)
    {
        public static Instant Now(int[] pids) => new(
            Stopwatch.GetTimestamp(), ProcessTree.CpuSeconds(ProcessTree.All(pids)), ProcessTree.CpuSeconds(pids),
            Environment.CpuUsage.TotalTime.TotalSeconds);
    }
}
