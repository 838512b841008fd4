using System.Globalization;

namespace Cocaine.Fast.Bench.Timers;

/// <summary>
/// How exact ticks are, beside the timers of .NET at the same time on the same machine; and what a tick costs with few and with many
/// timers.
/// </summary>
internal static class TimerSuite
{
    private const int IntervalMs = 10;
    private const int TicksPerSecond = 50_000;
    private const int CostSeconds = 6, WarmIntervals = 6;
    private const long NsPerMs = 1_000_000;

    public static async Task<int> RunAsync(string[] args)
    {
        double seconds = 60;
        if (args is not [] && !(args is ["--duration", string text] && double.TryParse(text, CultureInfo.InvariantCulture, out seconds)))
        {
            Console.Error.WriteLine("usage: bench timers [--duration S]");
            return 2;
        }

        Console.WriteLine(FormattableString.Invariant($"# Ticks every {IntervalMs} ms for {seconds} s, all at the same time\n"));
        Console.WriteLine(
            "Error of tick n: from start + n intervals to the first line of the code that runs; of ours that is the app's handler.\n");
        Console.WriteLine("| timer | ticks | lost | doubled | mean error µs | p50 | p99 | p99.9 | max | first 10 % | last 10 % |");
        Console.WriteLine("| --- | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |");
        TimeSpan duration = TimeSpan.FromSeconds(seconds);
        (string, long, List<long>)[] runs = await Task.WhenAll(OursAsync(duration), RivalTimers.TimerAsync(duration, IntervalMs),
            RivalTimers.PeriodicAsync(duration, IntervalMs));
        bool isWhole = true;
        foreach ((string name, long startNs, List<long> times) in runs)
        {
            isWhole &= Print(name, startNs, times) || name != runs[0].Item1;
        }

        Console.WriteLine(FormattableString.Invariant($"\n# CPU of a tick, {TicksPerSecond:N0} a second in all\n"));
        Console.WriteLine(
            "CPU of the whole process, user and system, handler included; as many ticks in a millisecond with few timers as with many.\n");
        Console.WriteLine("| timers | interval ms | ticks | µs CPU a tick | MiB of memory |");
        Console.WriteLine("| --: | --: | --: | --: | --: |");
        foreach (int timers in (int[])[100, 100_000])
        {
            await CostAsync(timers);
        }

        return isWhole ? 0 : 1;
    }

    private static async Task<(string Name, long StartNs, List<long> Times)> OursAsync(TimeSpan duration)
    {
        using TimerNode node = await TimerNode.StartAsync(1, IntervalMs, keep: true);
        await Task.Delay(duration + TimeSpan.FromMilliseconds(IntervalMs / 2));
        await node.StopAsync();
        return ("recurring-timer", node.StartNs, node.Times);
    }

    /// <summary>False when a tick is lost or doubled: there are fewer or more of them than intervals until the last one.</summary>
    private static bool Print(string name, long startNs, List<long> times)
    {
        const long Interval = IntervalMs * NsPerMs;
        long intervals = (long)Math.Round((double)(times[^1] - startNs) / Interval);
        double[] inOrder = [.. times.Select((time, index) => Math.Abs(time - startNs - ((index + 1) * Interval)) / 1000.0)];
        double[] sorted = [.. inOrder.Order()];
        int tenth = Math.Max(1, inOrder.Length / 10);
        double At(double part) => sorted[Math.Min(sorted.Length - 1, (int)(sorted.Length * part))];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {times.Count} | {Math.Max(0, intervals - times.Count)} | {Math.Max(0, times.Count - intervals)} "
            + $"| {sorted.Average():F0} | {At(0.5):F0} | {At(0.99):F0} | {At(0.999):F0} | {sorted[^1]:F0} "
            + $"| {inOrder[..tenth].Average():F0} | {inOrder[^tenth..].Average():F0} |"));
        return intervals == times.Count;
    }

    private static async Task CostAsync(int timers)
    {
        int intervalMs = timers * 1000 / TicksPerSecond;
        using TimerNode node = await TimerNode.StartAsync(timers, intervalMs, keep: false);
        await Task.Delay((intervalMs * WarmIntervals) + 1000); // the first ticks of a timer make its histograms
        long before = node.Count;
        TimeSpan cpuBefore = Environment.CpuUsage.TotalTime;
        await Task.Delay(CostSeconds * 1000);
        double cpuUs = (Environment.CpuUsage.TotalTime - cpuBefore).TotalMicroseconds;
        long ticks = node.Count - before;
        double memory = GC.GetTotalMemory(forceFullCollection: true) / (double)(1 << 20);
        await node.StopAsync();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {timers:N0} | {intervalMs} | {ticks:N0} | {cpuUs / ticks:F2} | {memory:F0} |"));
    }
}
