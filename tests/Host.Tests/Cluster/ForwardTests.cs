using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;
using static Cocaine.Fast.Host.Tests.Cluster.ClusterNodes;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Jobs of a cluster go where there is room: three processes, a real engine, all calls to one node.</summary>
[Collection(nameof(Alone))]
public sealed class ForwardTests : ClusterTest
{
    private const int Clients = 8, CallsAfter = 40;

    [NeedsFact("nats-server", "nats-server")]
    public async Task All_calls_to_one_node_use_the_others_and_none_fails_when_one_is_killed()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url), c = await Nodes.JoinAsync("c", engine.Url);
        (int code, string output, string error) = await a.RunAsync("app", "create", Manifest(1));
        Assert.True(code == 0, error);
        string endpoint = output.Split("endpoint=")[1].Trim();
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        bool isOver = false;
        int calls = 0;
        async Task Client()
        {
            for (int after = 0; after < CallsAfter; after += Volatile.Read(ref isOver) ? 1 : 0)
            {
                await client.CallAsync("sleep", "0.01"u8.ToArray()).WaitAsync(TimeSpan.FromSeconds(60)); // a failed call fails the test
                Interlocked.Increment(ref calls);
            }
        }

        Task load = Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(Client)));
        await UntilAsync(load, async () => (await JobsAsync(b)).In > 20 && (await JobsAsync(c)).In > 20, a);
        Jobs before = await JobsAsync(a);
        Assert.Equal(0, (await b.RunAsync("app", "replace", Manifest(2, "\"cluster\": { \"rollout\": { \"settle\": 0 } },"))).Code); // at all nodes, and each keeps its links
        await UntilAsync(load, async () => (await JobsAsync(a)).Out > before.Out + 40, a);
        engine.Kill(); // the links need no engine
        Kill(c);
        before = await JobsAsync(a);
        await UntilAsync(load, async () => (await JobsAsync(a)).Out > before.Out + 40, a);
        Volatile.Write(ref isOver, true);
        await load;
        Jobs here = await JobsAsync(a), there = await JobsAsync(b);
        Assert.Equal((calls, 0, 0, 0), (here.Done, here.Failed, here.Queued, here.Running));
        Assert.Equal(here.Accepted, here.Done);
        Assert.Equal(there.Accepted, there.Done + there.Failed);
        Assert.Equal(there.Accepted, there.In); // nobody else calls there
        Assert.True(here.Lost > 0, "no job was at the node when it was killed");
        await engine.StartAsync();
        await ClusterNodes.UntilAsync(a, cluster => cluster.State == "attached" && cluster.Nodes[0].ForwardedOut == here.Out && cluster.Nodes[1].ForwardedIn == there.In);
        (_, string list, _) = await a.RunAsync("cluster", "list", "--wide");
        Assert.Matches(@"(?m)^node +state +address +locator +apps +slots +running +queued +out +in +version", list);
        Assert.Matches($@"(?m)^a +up +127\.0\.0\.1 +1 +1 +0 +0 +{here.Out} +0 ", list);
        Assert.Contains($"cocaine_jobs_forwarded_out_total{{app=\"behaviours\"}} {here.Out}\n", (await a.RunAsync("metrics")).Output);
        Assert.Contains($"{here.Out} given to other nodes", (await a.RunAsync("app", "info", "behaviours")).Output.Replace(",", ""));
    }

    [NeedsFact("nats-server", "nats-server")]
    public async Task A_node_or_an_app_that_does_not_forward_keeps_its_jobs()
    {
        using NatsServer engine = await NatsServer.StartNewAsync();
        ServeProcess a = await Nodes.JoinAsync("a", engine.Url), b = await Nodes.JoinAsync("b", engine.Url);
        ServeProcess c = await Nodes.StartAsync("c", $"{SectionOf("c", engine.Url)}, \"forward\": false");
        await SeesAsync(a, "a up", "b up", "c up");
        string[] endpoints = [(await a.RunAsync("app", "create", Manifest(1))).Output.Split("endpoint=")[1].Trim()];
        await CallAllAsync(endpoints[0], 60);
        Assert.True((await JobsAsync(b)).In > 0);
        Assert.Equal(0, (await JobsAsync(c)).In);
        Assert.Equal(0, (await a.RunAsync("app", "replace", Manifest(2, "\"cluster\": { \"forward\": false, \"rollout\": { \"settle\": 0 } },"))).Code);
        Jobs before = await JobsAsync(a);
        await CallAllAsync(endpoints[0], 60);
        Assert.Equal(before.Out, (await JobsAsync(a)).Out);
    }

    [Fact]
    public async Task A_node_without_a_cluster_has_no_peer_port_and_nothing_of_the_engine()
    {
        ServeProcess alone = await Nodes.StartAsync("alone", null);
        Assert.Equal(0, (await alone.RunAsync("app", "create", Manifest(1))).Code);
        Assert.Equal("alone\n", (await alone.RunAsync("cluster", "info")).Output);
        Assert.DoesNotContain("NATS.", File.ReadAllText($"/proc/{alone.Process.Id}/maps"));
        Assert.DoesNotContain(":2746 ", File.ReadAllText($"/proc/{alone.Process.Id}/net/tcp6") + File.ReadAllText($"/proc/{alone.Process.Id}/net/tcp")); // 10054
    }

    private static async Task CallAllAsync(string endpoint, int calls)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        for (int left = calls; left > 0; left -= 6)
        {
            await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => client.CallAsync("sleep", "0.02"u8.ToArray())));
        }
    }

    private string Manifest(int version, string more = "") => Folder.Write("behaviours.json", $$"""
        {
          "type": "python", "args": "local://{{Repository.Root}}/tests/apps/behaviours.py", "version": {{version}}, {{more}}
          "engine": { "pool-limit": 1, "pool-minimum": 1, "concurrency": 1, "queue-limit": 10, "retry-limit": 2 },
          "tasks": { "call": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } }
        }
        """);

    private static async Task UntilAsync(Task load, Func<Task<bool>> holds, ServeProcess node)
    {
        for (long until = Environment.TickCount64 + 40_000; !await holds(); await Task.Delay(20)) // counts tell nobody when they change
        {
            Assert.True(Environment.TickCount64 < until && !load.IsCompleted, $"{load.Exception} {await JobsAsync(node)}\n{node.Log}");
        }
    }

    private static async Task<Jobs> JobsAsync(ServeProcess node)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        using JsonDocument info = JsonDocument.Parse(await client.InfoJsonAsync("behaviours"));
        JsonElement jobs = info.RootElement.GetProperty("jobs"), forwarded = jobs.GetProperty("forwarded");
        int Of(JsonElement at, string name) => at.GetProperty(name).GetInt32();
        return new Jobs(
            Of(jobs, "accepted"), Of(jobs, "done"), Of(jobs, "failed"), Of(jobs, "queued"), Of(jobs, "running"), Of(forwarded, "out"),
            Of(forwarded, "in"), Of(forwarded, "lost"));
    }

    private sealed record Jobs(int Accepted, int Done, int Failed, int Queued, int Running, int Out, int In, int Lost);
}
