using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Daemon;
using Cocaine.Fast.Node.Metrics;
using Cocaine.Fast.Web;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Bench.Metrics;

/// <summary>
/// <c>bench -- metrics</c>: the cost of the metrics of a node with 200 apps: the time and size of a text, over HTTP too, the time that a
/// sample takes of the loop, and the bytes that it allocates there.
/// </summary>
internal static class MetricsSuite
{
    private const int Apps = 200, Rounds = 10;

    public static async Task<int> RunAsync()
    {
        string folder = Directory.CreateTempSubdirectory("bench-metrics-").FullName;
        string code = Path.Combine(folder, "idle.py");
        await File.WriteAllTextAsync(code, "def echo(request):\n    yield request\n");
        List<string> manifests = [];
        for (int i = 0; i < Apps; i++)
        {
            string file = Path.Combine(folder, $"app-{i}.json");
            await File.WriteAllTextAsync(file, $$"""
                { "name": "app-{{i}}", "type": "python", "args": { "source": "{{code}}" },
                  "engine": { "queue-limit": 100, "pool-limit": 1, "ledger-jobs": 1024 },
                  "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{folder}}/{{i}}.sock", "events": "*" } } }
                """);
            manifests.Add(file);
        }

        NodeDaemon daemon = new(new NodeConfig
        {
            StateFolder = Path.Combine(folder, "state"),
            LedgerFolder = Path.Combine(folder, "ledger"),
            RuntimeFolder = Path.Combine(folder, "run"),
            ControlEndpoint = $"ipc://{folder}/control.sock",
            Locator = null,
            Loops = 1,
            Apps = manifests,
        }, NullLoggerFactory.Instance);
        try
        {
            await daemon.StartAsync();
            await Task.WhenAll(daemon.Node.Apps.Select(app => app.Ready));
            await using WebDoor door = await WebDoor.OpenAsync(
                daemon, new WebConfig("tcp://127.0.0.1:0", Metrics: true, TokenFile: null), NullLogger.Instance);
            await MeasureAsync(daemon, door.Endpoints[0].Replace("tcp", "http", StringComparison.Ordinal));
        }
        finally
        {
            await daemon.StopAsync(TimeSpan.FromSeconds(10), CancellationToken.None);
            Directory.Delete(folder, recursive: true);
        }

        return 0;
    }

    private static async Task MeasureAsync(NodeDaemon daemon, string address)
    {
        StatsSampler sampler = StatsHistory.Of(daemon.Node).Sampler;
        using HttpClient client = new() { BaseAddress = new Uri(address) };
        List<double> samples = [], texts = [], scrapes = [], loops = [], garbage = [];
        int size = 0;
        for (int i = 0; i <= Rounds; i++)
        {
            await Task.Delay(StatsSampler.MostAge + TimeSpan.FromMilliseconds(50)); // a new sample, and not the last one
            (long ns, long bytes) = await LoopAsync(daemon);
            long startedAt = Stopwatch.GetTimestamp();
            NodeSample sample = await sampler.SampleAsync();
            double sampleMs = Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
            (long nsAfter, long bytesAfter) = await LoopAsync(daemon);
            long before = OwnNs();
            size = MetricsPage.Text(sample, [], static _ => true).Length;
            double textMs = (OwnNs() - before) / 1e6;
            startedAt = Stopwatch.GetTimestamp();
            _ = await client.GetByteArrayAsync("/metrics");
            double scrapeMs = Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds;
            if (i > 0)
            {
                samples.Add(sampleMs);
                texts.Add(textMs);
                scrapes.Add(scrapeMs);
                loops.Add((nsAfter - ns) / 1e6);
                garbage.Add((bytesAfter - bytes) / 1024.0);
            }
        }

        Print("sample of all apps", samples, "ms");
        Print("CPU of the loop for it", loops, "ms");
        Print("allocated on the loop for it", garbage, "KiB");
        Print("CPU for the text", texts, "ms");
        Print("GET /metrics with a sample at hand", scrapes, "ms");
        Console.WriteLine(FormattableString.Invariant($"{"size of the text",-36} {size / 1024.0,8:0} KiB"));
    }

    private static void Print(string what, List<double> values, string unit)
    {
        values.Sort();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{what,-36} {values[values.Count / 2],8:0.00} {unit} (most {values[^1]:0.00})"));
    }

    /// <summary>The time that this thread has run, ns: proc(5), schedstat.</summary>
    private static long OwnNs() =>
        long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>The time that the loop's thread has run, ns, and the bytes that it has allocated.</summary>
    private static async Task<(long Ns, long Bytes)> LoopAsync(NodeDaemon daemon)
    {
        TaskCompletionSource<(long, long)> seen = new();
        daemon.Node.FirstLoop.Post(() =>
        {
            long bytes = GC.GetAllocatedBytesForCurrentThread(); // first, because the rest allocates
            seen.SetResult((OwnNs(), bytes));
        });
        return await seen.Task;
    }
}
