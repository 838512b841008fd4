using System.Diagnostics;

namespace Cocaine.Fast.Bench.Timers;

/// <summary>The timers that .NET has.</summary>
internal static class RivalTimers
{
    public static async Task<(string Name, long StartNs, List<long> Times)> TimerAsync(TimeSpan duration, int intervalMs)
    {
        List<long> times = [];
        long start = Stopwatch.GetTimestamp();
        await using (Timer timer = new(_ =>
        {
            long now = Stopwatch.GetTimestamp();
            lock (times)
            {
                times.Add(now); // callbacks may overlap
            }
        }, null, intervalMs, intervalMs))
        {
            await Task.Delay(duration);
        }

        return ("System.Threading.Timer", start, times);
    }

    public static async Task<(string Name, long StartNs, List<long> Times)> PeriodicAsync(TimeSpan duration, int intervalMs)
    {
        List<long> times = [];
        long start = Stopwatch.GetTimestamp();
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(intervalMs));
        while (await timer.WaitForNextTickAsync().ConfigureAwait(false) && Stopwatch.GetElapsedTime(start) < duration)
        {
            times.Add(Stopwatch.GetTimestamp());
        }

        return ("PeriodicTimer", start, times);
    }
}
