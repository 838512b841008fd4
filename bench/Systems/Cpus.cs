using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>On which CPUs processes run.</summary>
internal static class Cpus
{
    /// <summary>The list of CPUs that this process may use, as the kernel writes it: <c>0-3,8</c>.</summary>
    public static string All { get; } = File.ReadLines("/proc/self/status")
        .First(line => line.StartsWith("Cpus_allowed_list:", StringComparison.Ordinal)).Split(':')[1].Trim();

    /// <summary>The first one of them.</summary>
    public static string First { get; } = Numbers()[0];

    /// <summary>The first two of them, or the one there is.</summary>
    public static string FirstTwo { get; } = string.Join(',', Numbers().Take(2));

    /// <summary>Moves every thread of some processes to some CPUs.</summary>
    public static void Pin(IEnumerable<int> pids, string cpus)
    {
        foreach (int pid in pids)
        {
            using Process taskset = Process.Start(new ProcessStartInfo("taskset", ["-acp", cpus, $"{pid}"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
            taskset.WaitForExit();
        }
    }

    private static string[] Numbers() => [.. All.Split(',').SelectMany(part =>
    {
        int[] ends = [.. part.Split('-').Select(int.Parse)];
        return Enumerable.Range(ends[0], ends[^1] - ends[0] + 1).Select(cpu => $"{cpu}");
    })];
}
