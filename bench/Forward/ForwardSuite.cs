using System.Diagnostics;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Tools.Load;

namespace Cocaine.Fast.Bench.Forward;

/// <summary>
/// The price of a job that goes to another node of the same machine: the same call at the node that runs it, and at a node that has no
/// slave for it, in turns. Each figure is the median of the turns.
/// </summary>
internal static class ForwardSuite
{
    private const int Turns = 5, SizeBytes = 64;
    private const double MostMoreUs = 40, MostCpuUs = 4, MostAllocatedBytes = 1;

    private static readonly TimeSpan TurnTime = TimeSpan.FromSeconds(3);

    public static async Task<int> RunAsync()
    {
        using ServerProcess runner = await ServerProcess.StartAsync(ServerProcess.OwnRole("forward-serve"), "ready ");
        string[] said = runner.Ready[0].Split(' ');
        using ServerProcess giver = await ServerProcess.StartAsync(ServerProcess.OwnRole("forward-serve", said[2]), "ready ");
        string direct = said[1], forwarded = giver.Ready[0].Split(' ')[1];
        Console.WriteLine($"{"",-34}{"direct",12}{"forwarded",12}{"more",12}{"to reach",12}");
        double more = await CompareAsync("p50 of 1×1, 64 B, µs", direct, forwarded, 1, 1, result => result.P50);
        Write("p99 of 8×8, 64 B, µs", await MediansAsync(direct, forwarded, 8, 8, result => result.P99), "");
        (double cpu, double bytes, double cpuDirect) = await CostAsync(runner.Pid, direct, giver.Pid, forwarded);
        Console.WriteLine($"{"CPU of the node asked, 8×8, µs",-34}{cpuDirect,12:F2}{cpu,12:F2}{"",12}{MostCpuUs,12:F0}");
        Console.WriteLine($"{"B allocated there per request",-34}{"",12}{bytes,12:F2}{"",12}{0,12}");
        bool holds = more <= MostMoreUs && cpu <= MostCpuUs && bytes <= MostAllocatedBytes;
        Console.WriteLine(holds ? "all aims are reached" : "an aim is missed");
        return holds ? 0 : 1;
    }

    private static async Task<double> CompareAsync(
        string what, string direct, string forwarded, int connections, int inFlight, Func<LoadResult, double> figure)
    {
        (double Direct, double Forwarded) medians = await MediansAsync(direct, forwarded, connections, inFlight, figure);
        Write(what, medians, $"{MostMoreUs:F0}");
        return medians.Forwarded - medians.Direct;
    }

    private static void Write(string what, (double Direct, double Forwarded) of, string aim) =>
        Console.WriteLine($"{what,-34}{of.Direct,12:F1}{of.Forwarded,12:F1}{of.Forwarded - of.Direct,12:F1}{aim,12}");

    private static async Task<(double Direct, double Forwarded)> MediansAsync(
        string direct, string forwarded, int connections, int inFlight, Func<LoadResult, double> figure)
    {
        List<double> ofDirect = [], ofForwarded = [];
        for (int i = 0; i < Turns; i++)
        {
            ofDirect.Add(figure(await LoadAsync(direct, connections, inFlight)));
            ofForwarded.Add(figure(await LoadAsync(forwarded, connections, inFlight)));
        }

        return (Median(ofDirect), Median(ofForwarded));
    }

    /// <summary>
    /// CPU time of the node that is asked, per request: of the giver, which has no slave at work, and of the runner with its slave. And the
    /// bytes that the giver allocates.
    /// </summary>
    private static async Task<(double Cpu, double Bytes, double CpuDirect)> CostAsync(
        int runner, string direct, int giver, string forwarded)
    {
        await using NodeProbe probe = await NodeProbe.OpenAsync(forwarded);
        List<double> cpu = [], bytes = [], cpuDirect = [];
        for (int i = 0; i < Turns; i++)
        {
            TimeSpan before = CpuOf(runner);
            LoadResult result = await LoadAsync(direct, 8, 8);
            cpuDirect.Add((CpuOf(runner) - before).TotalMicroseconds / result.Requests);
            NodeCounts counts = await probe.CountAsync();
            before = CpuOf(giver);
            result = await LoadAsync(forwarded, 8, 8);
            cpu.Add((CpuOf(giver) - before).TotalMicroseconds / result.Requests);
            bytes.Add((await probe.CountSinceAsync(counts)).Per(result.Requests).AllocatedBytes);
        }

        return (Median(cpu), Median(bytes), Median(cpuDirect));
    }

    private static async Task<LoadResult> LoadAsync(string endpoint, int connections, int inFlight)
    {
        LoadResult result = await LoadRunner.RunAsync(new LoadOptions(endpoint, "echo", connections, inFlight, SizeBytes, TurnTime));
        return result is { Mismatches: 0, Errors.Count: 0 } ? result
            : throw new IOException($"calls failed: {string.Join(", ", result.Errors)}");
    }

    private static TimeSpan CpuOf(int pid)
    {
        using Process process = Process.GetProcessById(pid);
        return process.TotalProcessorTime;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
