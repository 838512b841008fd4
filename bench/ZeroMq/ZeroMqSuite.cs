using System.Diagnostics;
using System.Globalization;

namespace Cocaine.Fast.Bench.ZeroMq;

/// <summary>
/// zeromq-server beside a bare NetMQ ROUTER echo: the same load on the same machine, in turns. What the node costs on top is the engine,
/// the queue, the deadlines and the slave; the promise is 0.7 of the bare throughput, in a thread. Slaves that are processes need CPU
/// of their own, which a small machine does not have beside the load.
/// </summary>
internal static class ZeroMqSuite
{
    private const int Connections = 32, InFlight = 8, SizeBytes = 64, Rounds = 3;
    private const double LeastShare = 0.7;

    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(2);

    /// <summary>Runs all; 1 when the promise does not hold.</summary>
    public static async Task<int> RunAsync()
    {
        (string Role, string Name)[] systems =
        [
            ("bare", "bare NetMQ ROUTER"), ("thread", "zeromq-server, .NET thread"), ("process", "zeromq-server, .NET process"),
            ("python", "zeromq-server, Python process"),
        ];
        Dictionary<string, List<Figures>> all = systems.ToDictionary(system => system.Role, _ => new List<Figures>());
        for (int round = 0; round < Rounds; round++)
        {
            foreach ((string role, _) in systems)
            {
                all[role].Add(await MeasureAsync(role));
            }
        }

        double bare = Median(all["bare"], figures => figures.PerSecond);
        Console.WriteLine($"{Connections} DEALER sockets with {InFlight} in flight each, [\"\", {SizeBytes} bytes], medians of {Rounds}");
        Console.WriteLine("| server | requests/s | p50 ms | p99 ms | node CPU s per million | of the bare one |");
        Console.WriteLine("| --- | --- | --- | --- | --- | --- |");
        foreach ((string role, string name) in systems)
        {
            List<Figures> figures = all[role];
            double perSecond = Median(figures, one => one.PerSecond);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {perSecond:F0} | {Median(figures, one => one.P50Ms):F2} | {Median(figures, one => one.P99Ms):F2} | "
                + $"{Median(figures, one => one.CpuPerMillion):F1} | {perSecond / bare:F2} |"));
        }

        double share = Median(all["thread"], figures => figures.PerSecond) / bare;
        string verdict = share >= LeastShare ? "held" : "MISSED";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"promised: {LeastShare:F1}; {verdict}"));
        return share >= LeastShare && all.Values.SelectMany(list => list).All(figures => figures.Wrong == 0) ? 0 : 1;
    }

    private static async Task<Figures> MeasureAsync(string role)
    {
        string program = Environment.ProcessPath!;
        string[] own = program.EndsWith("dotnet", StringComparison.Ordinal) ? [typeof(ZeroMqSuite).Assembly.Location] : [];
        using Process server = Process.Start(new ProcessStartInfo(program, [.. own, "zeromq-serve", role])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        try
        {
            string ready = await server.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) ?? "";
            using EnvelopeLoad load = new(ready["ready ".Length..], Connections, InFlight, SizeBytes);
            await Task.Delay(Warm);
            server.Refresh();
            TimeSpan cpu = server.TotalProcessorTime;
            long begin = Stopwatch.GetTimestamp();
            load.Counts = true;
            await Task.Delay(Measured);
            load.Counts = false;
            double seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            server.Refresh();
            double cpuSeconds = (server.TotalProcessorTime - cpu).TotalSeconds;
            return new Figures(
                load.Done / seconds, load.Latency.ValueAtPercentile(50) / 1e6, load.Latency.ValueAtPercentile(99) / 1e6,
                cpuSeconds / load.Done * 1e6, load.Wrong);
        }
        finally
        {
            server.StandardInput.Close();
            if (!server.WaitForExit(10_000))
            {
                server.Kill(entireProcessTree: true);
            }
        }
    }

    private static double Median(List<Figures> figures, Func<Figures, double> of) =>
        figures.Select(of).Order().ElementAt(figures.Count / 2);

    /// <param name="PerSecond">Requests answered.</param>
    /// <param name="P50Ms">Median latency.</param>
    /// <param name="P99Ms">Latency of the slowest in a hundred.</param>
    /// <param name="CpuPerMillion">CPU seconds of the server's process.</param>
    /// <param name="Wrong">Replies that were not the request.</param>
    private sealed record Figures(double PerSecond, double P50Ms, double P99Ms, double CpuPerMillion, long Wrong);
}
