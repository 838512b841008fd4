using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Load;

/// <summary>The load of wrk, for what speaks HTTP/1: it has one request in flight on a connection.</summary>
internal static class WrkLoad
{
    public static async Task<LoadFigures> MeasureAsync(BenchSystem system, int connections)
    {
        // wrk knows whole seconds only, and all of them count: its begin is a small part of one.
        ProcessStartInfo start = new("wrk",
            ["-t1", $"-c{connections}", "-d1s", "-s", Path.Combine(AppContext.BaseDirectory, "native/wrk.lua"),
             "http" + system.Endpoints[0]["tcp".Length..]])
        {
            RedirectStandardOutput = true,
        };
        double roots = ProcessTree.CpuSeconds(system.Pids), server = ProcessTree.CpuSeconds(ProcessTree.All(system.Pids));
        double client = ProcessTree.EndedChildrenCpuSeconds();
        using Process wrk = Process.Start(start)!;
        string output = await wrk.StandardOutput.ReadToEndAsync();
        await wrk.WaitForExitAsync();
        string[]? line = output.Split('\n').FirstOrDefault(text => text.StartsWith("figures ", StringComparison.Ordinal))?.Split(' ');
        if (line is null)
        {
            return LoadFigures.Failed("wrk: " + output.ReplaceLineEndings(" "));
        }

        double[] figures = [.. line.Skip(1).Select(text => double.Parse(text, CultureInfo.InvariantCulture))];
        double millions = figures[0] / 1e6;
        return new LoadFigures(
            millions * 1e6 / (figures[1] / 1e6), figures[2], figures[3], figures[4],
            (ProcessTree.CpuSeconds(ProcessTree.All(system.Pids)) - server) / millions,
            (ProcessTree.CpuSeconds(system.Pids) - roots) / millions, (ProcessTree.EndedChildrenCpuSeconds() - client) / millions,
            ProcessTree.RssBytes(system.Pids), (long)figures[5], null, "");
    }
}
