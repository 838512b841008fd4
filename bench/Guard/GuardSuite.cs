using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cocaine.Fast.Bench.Load;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Guard;

/// <summary>
/// Counts what a request costs in figures that other processes do not change, and fails where one is past its bound in guard.json.
/// </summary>
internal sealed class GuardSuite
{
    /// <summary>Requests before the count: pools have grown, methods are compiled, and nothing of it is a request's.</summary>
    private const int WarmRequests = 8_000;

    /// <summary>A pool with several slaves tries for about so long how many of them end most jobs.</summary>
    private static readonly TimeSpan TriesFor = TimeSpan.FromSeconds(1);

    /// <summary>So many that what the runtime does beside them, some tens of KiB, is about a byte each.</summary>
    private const int Requests = 60_000;

    /// <summary>
    /// Parts of the count. A pool that still grows shows in one of them, an object for each request in all: the least counts.
    /// </summary>
    private const int Windows = 3;

    /// <summary>Under strace a request takes a hundred times as long.</summary>
    private const int TracedRequests = 2_000;

    private static readonly (string Slave, OurNode Node)[] Slaves =
    [
        ("thread", new OurNode("dotnet", "thread")),
        ("process .NET", new OurNode("dotnet", "process")),
        ("process .NET on its socket", new OurNode("dotnet", "process") { Pipe = false }),
        ("process Python", new OurNode("python", "process")),
        ("thread, concurrency 1", new OurNode("dotnet", "thread").WithDefaults(1)),
        ("process .NET, concurrency 1", new OurNode("dotnet", "process").WithDefaults(1)),
        ("4 processes .NET, concurrency 1", new OurNode("dotnet", "process").WithDefaults(4)),
        ("process Python, concurrency 1", new OurNode("python", "process").WithDefaults(1)),
    ];

    private static readonly (int Connections, int InFlight, int SizeBytes, int Requests)[] Shapes =
    [
        (1, 1, 64, Requests / 5), (1, 8, 64, Requests), (32, 8, 64, Requests), (256, 1, 64, Requests), (1, 8, 1 << 10, Requests),
        (4, 2, 64 << 10, Requests / 20),
    ];

    private readonly GuardBounds _bounds = GuardBounds.Read();
    private readonly List<string> _failures = [];
    private readonly List<string> _skipped = [];

    public static async Task<int> RunAsync()
    {
        await OurNode.BuildAsync();
        long start = Stopwatch.GetTimestamp();
        GuardSuite suite = new();
        Console.WriteLine($"{"slave",-33}{"shape",-16}{"B node",9}{"B worker",9}{"turns",8}{"receives",9}{"sends",8}{"bells",8}");
        foreach ((string slave, OurNode node) in Slaves)
        {
            using BenchSystem system = node.Named(slave);
            if (await system.StartAsync() is { } why)
            {
                throw new IOException($"{slave}: {why}");
            }

            await suite.CheckAsync(new GuardedDoor(slave, system.Endpoints[0], system.Pids[0]) { TriesSlaves = node.Slaves > 1 });
        }

        using SecuredNode secured = new();
        if (await secured.System.StartAsync() is { } reason)
        {
            throw new IOException($"a node with TLS and seals: {reason}");
        }

        foreach (GuardedDoor door in secured.Doors)
        {
            await suite.CheckAsync(door);
        }

        suite._skipped.ForEach(line => Console.WriteLine($"skipped: {line}"));
        suite._failures.ForEach(line => Console.WriteLine($"FAILED: {line}"));
        Console.WriteLine($"guard: {suite._failures.Count} failed, {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s");
        return suite._failures.Count == 0 ? 0 : 1;
    }

    private async Task CheckAsync(GuardedDoor door)
    {
        string slave = door.Slave;
        await using NodeProbe probe = await NodeProbe.OpenAsync(door.Endpoint, door.Client);
        await using CocaineClient client = await CocaineClient.ConnectAsync(door.Endpoint, door.Client);
        bool asksWorker = slave.StartsWith("process .NET", StringComparison.Ordinal);
        foreach ((int connections, int inFlight, int sizeBytes, int requests) in Shapes)
        {
            string shape = $"{connections}×{inFlight}, {(sizeBytes < 1024 ? $"{sizeBytes} B" : $"{sizeBytes >> 10} KiB")}";
            using BurstLoad load = await ConnectAsync(door, connections, inFlight, sizeBytes);
            int burst = connections * inFlight;
            long start = Stopwatch.GetTimestamp();
            do
            {
                await load.RunAsync(Math.Min(WarmRequests, requests) / burst);
            }
            while (door.TriesSlaves && Stopwatch.GetElapsedTime(start) < TriesFor);

            bool isShared = door.TriesSlaves && connections == 1 && inFlight > 1;
            int fed = isShared ? await probe.FedSlavesAsync() : 1;
            NodeCounts first = await probe.CountAsync();
            double node = double.MaxValue, worker = double.MaxValue;
            int bursts = requests / burst / Windows;
            for (int i = 0; i < Windows; i++)
            {
                long workerBefore = asksWorker ? await AllocatedAsync(client) : 0;
                NodeCounts before = await probe.CountAsync();
                await load.RunAsync(bursts);
                node = Math.Min(node, (await probe.CountSinceAsync(before)).Per(bursts * burst).AllocatedBytes);
                worker = Math.Min(worker, asksWorker ? (await AllocatedAsync(client) - workerBefore) / (double)(bursts * burst) : 0);
            }

            NodeCounts counts = (await probe.CountSinceAsync(first)).Per(Windows * bursts * burst);
            Console.WriteLine($"{slave,-33}{shape,-16}{node,9:F2}{(asksWorker ? $"{worker:F2}" : ""),9}{counts.Turns,8:F3}"
                + $"{counts.Receives,9:F3}{counts.Sends,8:F3}{counts.Bells,8:F3}");
            fed = Math.Max(fed, isShared ? await probe.FedSlavesAsync() : 1);
            GuardCount bound = _bounds.For(slave, shape).SharedBy(Math.Min(fed, inFlight), inFlight);
            double bytes = bound.AllocatedBytes ?? _bounds.AllocatedBytes;
            Check($"{slave}, {shape}", "B allocated in the node", node, bytes);
            Check($"{slave}, {shape}", "B allocated in the worker", worker, bytes);
            Check($"{slave}, {shape}", "turns", counts.Turns, bound.Turns);
            Check($"{slave}, {shape}", "receives", counts.Receives, bound.Receives);
            Check($"{slave}, {shape}", "sends", counts.Sends, bound.Sends);
            Check($"{slave}, {shape}", "bells", counts.Bells, bound.Bells);
        }

        await TraceAsync(door, probe);
    }

    /// <summary>The loop's counters against the kernel's, and what they do not see: the slave's calls.</summary>
    private async Task TraceAsync(GuardedDoor door, NodeProbe probe)
    {
        string slave = door.Slave;
        const string Shape = "1×1, 64 B";
        GuardCount bound = _bounds.For(slave, Shape);
        using BurstLoad load = await ConnectAsync(door, 1, 1, 64);
        await load.RunAsync(TracedRequests);
        NodeCounts before = await probe.CountAsync();
        (Dictionary<string, long>? calls, string why) = await Tracer.SystemCallsAsync(
            door.Pid, () => load.RunAsync(TracedRequests));
        NodeCounts counts = (await probe.CountSinceAsync(before)).Per(TracedRequests);
        if (calls is null)
        {
            Skip($"system calls by strace: {why}");
        }
        else
        {
            StringBuilder names = new();
            foreach ((string name, long count) in calls.Where(call => call.Value > TracedRequests / 20)
                .OrderByDescending(call => call.Value))
            {
                names.Append(CultureInfo.InvariantCulture, $" {name} {(double)count / TracedRequests:F2}");
            }

            double all = calls.Values.Sum() / (double)TracedRequests;
            Console.WriteLine($"{slave,-33}{Shape,-16}{all:F2} system calls by strace:{names}");
            Check($"{slave}, {Shape}", "system calls", all, bound.SystemCalls ?? double.PositiveInfinity);
            double seen = (calls.GetValueOrDefault("recvfrom") + calls.GetValueOrDefault("sendto")) / (double)TracedRequests;
            double unseen = Math.Abs(seen - counts.Receives - counts.Sends);
            Check($"{slave}, {Shape}", "receives and sends that the loop does not count", unseen, 0.05);
        }

        (double? instructions, why) = await Tracer.InstructionsAsync(door.Pid, () => load.RunAsync(TracedRequests));
        if (instructions is null)
        {
            Skip($"instructions: {why}");
        }
        else
        {
            Console.WriteLine($"{slave,-33}{Shape,-16}{instructions / TracedRequests:F0} instructions in user mode by perf");
            Check($"{slave}, {Shape}", "instructions", instructions.Value / TracedRequests, bound.Instructions ?? double.PositiveInfinity);
        }
    }

    private static Task<BurstLoad> ConnectAsync(GuardedDoor door, int connections, int inFlight, int sizeBytes) => BurstLoad.ConnectAsync(
        door.Endpoint, connections, inFlight, sizeBytes, door.Client, door.Seal is { } keys ? new BurstSeal(keys, sizeBytes) : null);

    private void Skip(string line)
    {
        if (!_skipped.Contains(line))
        {
            _skipped.Add(line);
        }
    }

    private void Check(string where, string what, double value, double bound)
    {
        if (value > bound)
        {
            _failures.Add($"{where}: {value:F3} {what}, at most {bound} (bench/guard.json)");
        }
    }

    /// <summary>What the worker's process has allocated: its app says it.</summary>
    private static async Task<long> AllocatedAsync(CocaineClient client) =>
        long.Parse(Encoding.UTF8.GetString(await client.CallAsync("allocated", new byte[1])), CultureInfo.InvariantCulture);
}
