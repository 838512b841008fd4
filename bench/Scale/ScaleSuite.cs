using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;

namespace Cocaine.Fast.Bench.Scale;

/// <summary>What a request costs against the number of connections, channels, apps, slaves, idle connections and timers.</summary>
internal sealed class ScaleSuite : IDisposable
{
    private const int Rounds = 3;

    /// <summary>As in the headline suite.</summary>
    private const double MeasureSeconds = 0.8, WarmSeconds = 0.3, FirstWarmSeconds = 2.5;

    /// <summary>Requests in flight where the axis is not that.</summary>
    private const int Connections = 32, InFlight = 8;

    /// <summary>Descriptors of one process at the most: 10,000 connections, and some.</summary>
    private const int Descriptors = 10_200;

    private readonly AgentProcess _agent = AgentProcess.Start();
    private readonly List<IdleMemory> _idle = [];

    /// <param name="names">The axes to measure; none = all.</param>
    public static async Task<int> RunAsync(string[] names)
    {
        await OurNode.BuildAsync();
        SayDescriptors();
        long start = Stopwatch.GetTimestamp();
        using ScaleSuite suite = new();
        (string Name, Func<Task<Axis>> Measure)[] all =
        [
            ("connections", suite.ConnectionsAsync), ("channels", suite.ChannelsAsync), ("apps", suite.AppsAsync),
            ("threads", () => suite.SlavesAsync("thread")), ("processes", () => suite.SlavesAsync("process")),
            ("spin-lone", () => suite.SpinAsync(1, 1)), ("spin-busy", () => suite.SpinAsync(Connections, InFlight)),
            ("loops", suite.LoopsAsync), ("idle", suite.IdleAsync), ("timers", suite.TimersAsync),
        ];
        if (names.Except(all.Select(axis => axis.Name)).ToArray() is { Length: > 0 } unknown)
        {
            Console.Error.WriteLine($"no axis {string.Join(", ", unknown)}; there are {string.Join(", ", all.Select(axis => axis.Name))}");
            return 2;
        }

        List<Axis> axes = [];
        foreach ((string name, Func<Task<Axis>> measure) in all)
        {
            if (names.Length == 0 || names.Contains(name))
            {
                axes.Add(await measure());
            }
        }

        ScaleReport.Write(axes, suite._idle, Stopwatch.GetElapsedTime(start));
        return axes.TrueForAll(axis => axis.Points.Any(point => point.IsGood)) ? 0 : 1;
    }

    public void Dispose() => _agent.Dispose();

    private async Task<Axis> ConnectionsAsync()
    {
        double[] counts = [1, 10, 100, 1000, 10_000];
        List<ScalePoint> ours, echo;
        using (BenchSystem node = new OurNode("dotnet", "thread") { Concurrency = 16_384 }.Named("connections"))
        {
            ours = await PointsAsync("connections", node, counts, (system, count) => Spec(system, (int)count, 1));
        }

        using (BenchSystem limit = Catalog.C())
        {
            echo = await PointsAsync("connections of the C echo", limit, counts, (system, count) => Spec(system, (int)count, 1));
        }

        return new Axis("connections", "1 in flight on each, thread slave", ours,
            "Every request is a receive and a send of its own, as in the C echo beside it. With few connections a turn carries few "
            + "requests, so a request pays for its own turns and bells. With thousands the counts are the same, and the C echo pays more "
            + "too: memory that is touched again only after all the others' was.")
        {
            FlatFrom = 100,
            Limit = echo,
        };
    }

    private async Task<Axis> ChannelsAsync()
    {
        using BenchSystem node = new OurNode("dotnet", "thread") { Concurrency = 16_384 }.Named("channels");
        List<ScalePoint> points = await PointsAsync(
            "channels", node, [1, 10, 100, 1000, 10_000], (system, count) => Spec(system, 1, (int)count));
        return new Axis("channels on one connection", "thread slave", points,
            "Few channels: a request pays for its own turns, receives, sends and bells, as the counts show. Many: they are shared by a "
            + "batch, and what is left is the handling itself.")
        {
            FlatFrom = 100,
        };
    }

    private async Task<Axis> AppsAsync()
    {
        List<ScalePoint> points = [];
        foreach (int apps in (int[])[1, 10, 50, 200])
        {
            using BenchSystem node = new OurNode("dotnet", "thread") { Apps = apps }.Named("apps");
            points.AddRange(await PointsAsync("apps", node, [apps], (system, _) => Spec(system, 200, 1)));
        }

        return new Axis("apps", "200 connections spread over them, 1 in flight on each, a thread slave for each app", points,
            "The same requests reach more slaves: each turn rings more bells, and each slave wakes for fewer requests, down to one. A "
            + "wake-up is two system calls and two switches of a CPU between threads.")
        {
            FlatFrom = 1,
        };
    }

    private async Task<Axis> SlavesAsync(string backend)
    {
        List<ScalePoint> points = [];
        foreach (int slaves in (int[])[1, 4, 16, 64])
        {
            OurNode setup = new("dotnet", backend) { Slaves = slaves, Concurrency = Connections * InFlight / slaves };
            using BenchSystem node = setup.Named("slaves");
            points.AddRange(await PointsAsync(
                $"slaves ({backend})", node, [slaves], (system, _) => Spec(system, Connections, InFlight)));
        }

        return new Axis($"slaves, {backend}", "32×8; slaves × concurrency is what is in flight", points,
            "The same requests are spread over more slaves: a slave wakes for fewer of them at a time, and more slaves than CPUs take "
            + "turns on those. One slave with concurrency is the cheapest way to run code that does not wait.")
        {
            FlatFrom = 1,
        };
    }

    private async Task<Axis> LoopsAsync()
    {
        List<ScalePoint> points = [];
        foreach (int loops in (int[])[1, 2, 4, 8])
        {
            using BenchSystem node = new OurNode("dotnet", "thread") { Loops = loops, Slaves = 8, Concurrency = 64 }.Named("loops");
            points.AddRange(await PointsAsync("loops of one app", node, [loops], (system, _) => Spec(system, 64, InFlight)));
        }

        return new Axis("loops", "64×8, engine.loops of one app with 8 thread slaves", points,
            "The connections are shared out, and a turn of each loop carries fewer requests: a request pays for more of its turns and "
            + "bells, as the counts show, and for nothing else. Loops pay where there are cores for them.")
        {
            FlatFrom = 1,
        };
    }

    private async Task<Axis> SpinAsync(int connections, int inFlight)
    {
        List<ScalePoint> points = [];
        foreach (int spin in (int[])[0, 20, 100])
        {
            using BenchSystem node = new OurNode("dotnet", "process") { SpinMicroseconds = spin }.Named("spin");
            points.AddRange(await PointsAsync(
                $"spin, {connections}×{inFlight}", node, [spin], (system, _) => Spec(system, connections, inFlight)));
        }

        return new Axis($"spin, µs, {connections}×{inFlight}", "engine.spin of a .NET process", points,
            "A slave that looks for work takes a CPU meanwhile: it pays where there is one to spare, and takes it from client and node "
            + "where there is not.")
        {
            FlatFrom = 0,
        };
    }

    private async Task<Axis> IdleAsync()
    {
        List<ScalePoint> points = [];
        using BenchSystem node = new OurNode("dotnet", "thread").Named("idle");
        points.AddRange(await PointsAsync("idle connections", node, [0], (system, _) => Spec(system, Connections, InFlight)));
        await using IdleConnections connections = new(node);
        foreach (int count in (int[])[1000, 10_000])
        {
            _idle.Add(await connections.MeasureAsync(count));
            points.AddRange(await PointsAsync("idle connections", node, [count], (system, _) => Spec(system, Connections, InFlight)));
        }

        return new Axis("idle connections", "beside 32×8, thread slave", points,
            "An idle connection has no buffer and is in no list that a turn walks; it costs the kernel's and its own memory only.")
        {
            FlatFrom = 0,
        };
    }

    private async Task<Axis> TimersAsync()
    {
        List<ScalePoint> points = [];
        using BenchSystem node = new OurNode("dotnet", "thread") { Apps = 2, Concurrency = 512 }.Named("timers");
        points.AddRange(await PointsAsync("timers, none per request", node, [0], (system, _) => OneApp(system, deadlineMs: 0)));
        points.AddRange(await PointsAsync("timers, one per request", node, [1], (system, _) => OneApp(system, deadlineMs: 45_000)));
        await using IdleDeadlines idle = await IdleDeadlines.ArmAsync(node.Endpoints[1], 100_000);
        points.AddRange(await PointsAsync("timers, 100,000 idle", node, [100_000], (system, _) => OneApp(system, deadlineMs: 45_000)));
        return new Axis(
            "timers", "32×8, thread slave; at 0 no request has a deadline, at 1 each has, at 100,000 so many idle ones are armed beside",
            points, "A deadline costs its header to decode and a timer to arm and to cancel; how many others are armed does not matter.")
        {
            FlatFrom = 1,
        };
    }

    private static LoadSpec Spec(BenchSystem system, int connections, int inFlight) =>
        system.Spec(connections, inFlight, 64, MeasureSeconds, WarmSeconds);

    /// <summary>Load on the first app only.</summary>
    private static LoadSpec OneApp(BenchSystem system, long deadlineMs) =>
        Spec(system, Connections, InFlight) with { Endpoints = [system.Endpoints[0]], DeadlineMs = deadlineMs };

    /// <summary>Starts the system where it does not run yet, and measures it at each place in turns.</summary>
    private async Task<List<ScalePoint>> PointsAsync(
        string what, BenchSystem system, double[] counts, Func<BenchSystem, double, LoadSpec> spec)
    {
        if (system.Endpoints.Length == 0)
        {
            if (await system.StartAsync() is { } why)
            {
                return [.. counts.Select(count => new ScalePoint(count, [], why))];
            }

            await _agent.AskAsync(Spec(system, Connections, InFlight) with { WarmSeconds = FirstWarmSeconds });
        }

        List<LoadFigures>[] runs = [.. counts.Select(_ => new List<LoadFigures>())];
        for (int round = 0; round < Rounds; round++)
        {
            for (int i = 0; i < counts.Length; i++)
            {
                Console.Error.WriteLine($"measuring {what}: {counts[i]:N0}");
                runs[i].Add(await _agent.AskAsync(spec(system, counts[i])));
            }
        }

        return [.. counts.Zip(runs, (count, all) =>
        {
            LoadFigures[] good = [.. all.Where(run => run.Error.Length == 0)];
            return new ScalePoint(count, good, good.Length > 0 ? "" : all[0].Error);
        })];
    }

    private static void SayDescriptors()
    {
        // The runtime raises the soft limit to the hard one by itself; the hard one is the machine's.
        string line = File.ReadLines("/proc/self/limits").First(text => text.StartsWith("Max open files", StringComparison.Ordinal));
        string hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        if (hard != "unlimited" && long.Parse(hard, CultureInfo.InvariantCulture) < Descriptors)
        {
            Console.Error.WriteLine(
                $"at most {hard} open files: the places with 10,000 connections will fail. Before this: ulimit -Hn {Descriptors}");
        }
    }
}
