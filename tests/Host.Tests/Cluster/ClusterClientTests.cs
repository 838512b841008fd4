using System.Collections.Concurrent;
using Cocaine.Fast.Client;
using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>A client of a cluster: three processes and a real engine, under load.</summary>
[Collection(nameof(Alone))]
public sealed class ClusterClientTests : ClusterTest
{
    private const int Callers = 12;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentBag<Exception> _failed = [];         // calls that may not run twice
    private readonly ConcurrentBag<Exception> _failedTwice = [];    // calls that may
    private ServeProcess[] _nodes = [];
    private int _calls;
    private int _slowest; // of the calls that may run twice, ms
    private bool _isOver;

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_killed_node_costs_no_call_that_may_run_twice_and_of_the_others_those_that_it_had()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        (ServeProcess[] nodes, ClusterClient client) = await StartAsync(engine);
        await using (client)
        {
            Task load = LoadAsync(client);
            await UntilCallsAsync(load, 300);
            engine.Kill(); // neither the client nor the nodes need it
            Kill(nodes[2]);
            await UntilCallsAsync(load, Volatile.Read(ref _calls) + 300);
            Volatile.Write(ref _isOver, true);
            await load.WaitAsync(Limit);
            Assert.Empty(_failedTwice);
            Assert.InRange(_failed.Count, 0, Callers / 2); // each of the others had one call at a time
            Assert.All(_failed, failure => Assert.IsType<ConnectionLostException>(failure));
            Assert.Equal(2, client.Nodes.Count(node => node.IsConnected));
        }
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_node_that_stands_still_delays_no_call_that_may_run_twice_by_more_than_its_silence()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        (ServeProcess[] nodes, ClusterClient client) = await StartAsync(engine);
        await using (client)
        {
            Task load = LoadAsync(client);
            await UntilCallsAsync(load, 300);
            nodes[1].Signal("STOP");
            try
            {
                await UntilCallsAsync(load, Volatile.Read(ref _calls) + 300);
            }
            finally
            {
                nodes[1].Signal("CONT");
            }

            Volatile.Write(ref _isOver, true);
            await load.WaitAsync(Limit); // those that had to wait for it come back too
            Assert.Empty(_failedTwice);
            Assert.Empty(_failed);
            Assert.InRange(_slowest, 0, 5000); // 250 ms, and the noise of a full machine
        }
    }

    /// <summary>The lines of the page's sample are those of this test, and they do what the page says.</summary>
    [NeedsFact("nats-server", "nats-server")]
    public async Task The_sample_of_the_page_runs()
    {
        string sample = CodeBlocks.Of("docs/cluster.md", "A client of the cluster")[0];
        string[] source = File.ReadAllLines(Path.Combine(Repository.Root, "tests/Host.Tests/Cluster/ClusterClientTests.cs"));
        Assert.Contains(sample, string.Join('\n', source.Select(line => line.Trim())), StringComparison.Ordinal);
        using NatsServer engine = await NatsServer.StartNewAsync();
        string[] locators = await CreateAsync(engine);

        ClusterOptions options = new() { Locators = locators };
        await using ClusterClient client = await ClusterClient.ConnectAsync("behaviours", options);
        CallOptions twice = new() { Idempotent = true, Deadline = TimeSpan.FromSeconds(20) };
        byte[] answer = await client.CallAsync("echo", "world"u8.ToArray(), twice);

        Assert.Equal("world"u8.ToArray(), answer);
        await ConnectedAsync(client);
    }

    /// <summary>Waits until the client has all nodes: for a moment each locator has a view of its own, and may name fewer.</summary>
    private static async Task ConnectedAsync(ClusterClient client)
    {
        for (long until = Environment.TickCount64 + 40_000; client.Nodes.Count(node => node.IsConnected) < 3; await Task.Delay(20))
        {
            Assert.True(Environment.TickCount64 < until, string.Join(", ", client.Nodes));
        }
    }

    private async Task<(ServeProcess[] Nodes, ClusterClient Client)> StartAsync(NatsServer engine)
    {
        string[] locators = await CreateAsync(engine);
        ClusterClient client = await ClusterClient.ConnectAsync("behaviours", new ClusterOptions { Locators = locators });
        await ConnectedAsync(client);
        return (_nodes, client);
    }

    /// <summary>Starts three nodes with the app; their locators.</summary>
    private async Task<string[]> CreateAsync(NatsServer engine)
    {
        ServeProcess[] all = _nodes = await Task.WhenAll(((string[])["a", "b", "c"]).Select(
            name => Nodes.StartAsync(name, SectionOf(name, engine.Url), "\"locator\": \"tcp://127.0.0.1:0\",")));
        ClusterAnswer cluster = await SeesAsync(all[0], "a up", "b up", "c up");
        Assert.Equal(0, (await all[0].RunAsync("app", "create", Manifest())).Code);
        string[] locators = [.. cluster.Nodes.Select(node => node.Locator[0])];
        for (long until = Environment.TickCount64 + 40_000; (await FindAsync(locators[0])).Count < 3; await Task.Delay(20)) // as in LocatorTests
        {
            Assert.True(Environment.TickCount64 < until, all[0].Log);
        }

        return locators;
    }

    private static async Task<IReadOnlyList<string>> FindAsync(string locator)
    {
        try
        {
            return await AppLocator.FindAsync("behaviours", locator);
        }
        catch (CocaineException)
        {
            return []; // no node has the app yet
        }
    }

    private Task LoadAsync(ClusterClient client) => Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(async () =>
    {
        bool mayRunTwice = caller % 2 == 0;
        while (!Volatile.Read(ref _isOver))
        {
            long began = Environment.TickCount64;
            try
            {
                await client.CallAsync("sleep", "0.01"u8.ToArray(), new CallOptions { Idempotent = mayRunTwice }).WaitAsync(Limit);
                Interlocked.Increment(ref _calls);
            }
            catch (Exception failure)
            {
                (mayRunTwice ? _failedTwice : _failed).Add(failure);
            }

            if (mayRunTwice)
            {
                int tookMs = (int)(Environment.TickCount64 - began);
                InterlockedMax(ref _slowest, tookMs);
            }
        }
    })));

    private static void InterlockedMax(ref int most, int value)
    {
        for (int seen = Volatile.Read(ref most); value > seen;)
        {
            int was = Interlocked.CompareExchange(ref most, value, seen);
            if (was == seen)
            {
                return;
            }

            seen = was;
        }
    }

    private async Task UntilCallsAsync(Task load, int calls)
    {
        for (long until = Environment.TickCount64 + 60_000; Volatile.Read(ref _calls) < calls; await Task.Delay(20)) // a count tells nobody
        {
            Assert.True(Environment.TickCount64 < until && !load.IsCompleted, $"{_calls} calls; {string.Join("; ", _failedTwice)} {load.Exception}");
        }
    }

    /// <summary>Nodes keep their jobs here: the client alone is the subject.</summary>
    private string Manifest() => Folder.Write("behaviours.json", $$"""
        {
          "type": "python", "args": "local://{{Repository.Root}}/tests/apps/behaviours.py", "cluster": { "forward": false },
          "engine": { "pool-limit": 2, "pool-minimum": 2, "concurrency": 1, "queue-limit": 100, "retry-limit": 2 },
          "tasks": { "call": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } }
        }
        """);
}
