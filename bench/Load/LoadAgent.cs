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
        using NodeMemory? memory = spec.Protocol is "native" or "blob" ? await NodeMemory.OpenAsync(spec.Endpoint) : null;
        Load load = Load.Of(spec.Protocol);
        await load.StartAsync(spec);
        await Task.Delay(TimeSpan.FromSeconds(spec.WarmSeconds));
        long allocatedBefore = memory is null ? 0 : await memory.AllocatedBytesAsync();
        double serverBefore = ProcessTree.CpuSeconds(spec.ServerPids);
        double clientBefore = Environment.CpuUsage.TotalTime.TotalSeconds;
        long start = Stopwatch.GetTimestamp();
        load.Tallies.ForEach(tally => tally.Counts = true);
        await Task.Delay(TimeSpan.FromSeconds(spec.Seconds));
        load.Tallies.ForEach(tally => tally.Counts = false);
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        long allocated = memory is null ? 0 : await memory.AllocatedBytesAsync() - allocatedBefore - memory.QuestionBytes;
        double millions = load.Tallies.Sum(tally => tally.Done) / 1e6;
        double server = ProcessTree.CpuSeconds(spec.ServerPids) - serverBefore;
        double client = Environment.CpuUsage.TotalTime.TotalSeconds - clientBefore;
        await load.StopAsync();
        if (millions == 0)
        {
            return LoadFigures.Failed("no answer");
        }

        LatencyHistogram all = new();
        load.Tallies.ForEach(tally => all.Merge(tally.Latency));
        LatencySnapshot latency = all.Snapshot();
        return new LoadFigures(
            millions * 1e6 / seconds, latency.P50 / 1e3, latency.P99 / 1e3, latency.P999 / 1e3, server / millions, client / millions,
            ProcessTree.RssBytes(spec.ServerPids), (long)(millions * 1e6), load.Tallies.Sum(tally => tally.Wrong),
            memory is null ? null : Math.Max(0, allocated) / (millions * 1e6), "");
    }
}
