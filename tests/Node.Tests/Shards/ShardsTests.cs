using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Records;
using MessagePack;

namespace Cocaine.Fast.Node.Tests.Shards;

/// <summary>An app on several loops is one app: to its clients, to its operators, and to its records.</summary>
public class ShardsTests
{
    private static readonly EngineSettings Four = new() { Loops = 4, PoolLimit = 4, PoolMinimum = 4, QueueLimit = 4096 };

    [Fact]
    public async Task Many_connections_are_served_by_all_loops_and_each_call_gets_its_answer_once()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 64, callsAtOnce: 2);
        await load.ForAsync(4000);
        Assert.Empty(await load.StopAsync());
        JsonElement info = await app.InfoAsync();
        JsonElement[] shards = [.. info.GetProperty("shards").EnumerateArray()];
        Assert.Equal(4, shards.Length);
        Assert.All(shards, shard => Assert.NotEqual(0, Count(shard, "done")));
        Assert.Equal(load.Answers, shards.Sum(shard => Count(shard, "done")));
        Assert.Equal(load.Answers, Count(info.GetProperty("jobs"), "done"));
        Assert.Equal(load.Answers, Count(info.GetProperty("jobs"), "accepted"));
        Assert.Equal((4, 4, 4), (Count(info.GetProperty("pool"), "limit"), Count(info.GetProperty("pool"), "total"),
            info.GetProperty("pool").GetProperty("slaves").EnumerateArray().Select(slave => slave.GetProperty("id").GetString()).Distinct().Count()));
        Assert.Equal(load.Answers, Count(info.GetProperty("tasks").GetProperty("event").GetProperty("time-on-slave-s"), "count"));
        Assert.Equal(4096, Count(info.GetProperty("queue"), "limit"));
    }

    [Fact]
    public async Task An_app_on_one_loop_shows_no_shards() =>
        await WithAsync(new EngineSettings(), async (_, app) => Assert.DoesNotContain("\"shards\"", await app.InfoJsonAsync()));

    [Fact]
    public async Task There_are_no_more_shards_than_slaves_or_places_in_the_queue()
    {
        await WithAsync(Four with { Loops = 8, PoolLimit = 3, PoolMinimum = 0 }, async (_, app) => Assert.Equal("1 1 1", await LimitsAsync(app)));
        await WithAsync(Four with { PoolLimit = 5, QueueLimit = 2 }, async (_, app) => Assert.Equal("3 2", await LimitsAsync(app)));
    }

    [Fact]
    public async Task The_connections_of_a_Unix_socket_are_shared_out_too()
    {
        await using TestNode node = TestNode.Start();
        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.sock");
        AppManifest manifest = Versions.Python(1, Four);
        await node.AddAsync(manifest.With(manifest.Tasks[0] with { Endpoints = [$"ipc://{path}"] }));
        RunningApp app = node.Node.Find("app")!;
        CheckedLoad load = new($"ipc://{path}", connections: 8, callsAtOnce: 1);
        await load.ForAsync(400);
        JsonElement info = await app.InfoAsync();
        Assert.Equal(8, Count(info.GetProperty("tasks").GetProperty("event"), "connections"));
        Assert.Empty(await load.StopAsync());
        Assert.All((await app.InfoAsync()).GetProperty("shards").EnumerateArray(), shard => Assert.NotEqual(0, Count(shard, "done")));
    }

    [Fact]
    public async Task The_bound_on_connections_of_an_address_holds_for_all_loops_together()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = Versions.Python(1, Four);
        TaskManifest task = manifest.Tasks[0] with { Keys = new Dictionary<string, object> { ["connections"] = 6L } };
        RunningApp app = await node.AddAsync(manifest.With(task));
        List<CocaineClient> clients = [];
        for (int i = 0; i < 6; i++)
        {
            clients.Add(await TestNode.ConnectAsync(app));
            Assert.Equal("1", await clients[i].TextAsync("version"));
        }

        await using CocaineClient seventh = await TestNode.ConnectAsync(app);
        await Assert.ThrowsAnyAsync<Exception>(() => seventh.TextAsync("version"));
        await clients[0].DisposeAsync();
        await app.UntilAsync(info => Count(info.GetProperty("tasks").GetProperty("event"), "connections") == 5);
        await using CocaineClient eighth = await TestNode.ConnectAsync(app);
        Assert.Equal("1", await eighth.TextAsync("version"));
        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task Each_job_has_its_own_number_and_its_record_whichever_loop_it_was_on()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 16, callsAtOnce: 1);
        await load.ForAsync(1000);
        Assert.Empty(await load.StopAsync());
        for (int i = 0; i < 4; i++)
        {
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("no-such-function"));
            LedgerEntry job = Ledger(node).Entries.Single(job => job.Id == failure.JobId);
            Assert.Equal(("no-such-function", JobOutcome.Failed), (job.Event, job.Outcome));
        }

        IReadOnlyList<LedgerEntry> entries = Ledger(node).Entries;
        Assert.Equal(load.Answers + 4, entries.Count); // no record was written over by another loop's
        Assert.Equal(4, entries.Select(job => job.Id % 4).Distinct().Count());
    }

    [Fact]
    public async Task A_timer_ticks_once_for_all_loops()
    {
        await using TestNode node = TestNode.Start();
        using TestFolder folder = new();
        AppManifest manifest = TestApps.Python("ticking.py", Four, new Dictionary<string, string> { ["TICKING"] = folder.Path });
        Stopwatch since = Stopwatch.StartNew();
        RunningApp app = await node.AddAsync(manifest.With(
            manifest.Tasks[0],
            new TaskManifest { Name = "tick", DriverType = "recurring-timer", Keys = new Dictionary<string, object> { ["interval"] = 50L } }));
        await app.UntilAsync(info => Count(info.GetProperty("tasks").GetProperty("tick"), "ticks") >= 20);
        await node.Node.DeleteAsync(app.Name, Versions.Long);
        int ticks = File.ReadAllLines(Path.Combine(folder.Path, "tick")).Length;
        Assert.InRange(ticks, 20, 1 + (since.ElapsedMilliseconds / 50)); // four timers would leave four times as many lines
    }

    [Fact]
    public async Task Scaling_and_pausing_reach_all_loops()
    {
        await WithAsync(Four with { PoolMinimum = 0 }, async (node, app) =>
        {
            await node.Node.ScaleAsync("app", minimum: 6, limit: 9);
            Assert.Equal("3 2 2 2", await LimitsAsync(app));
            await app.UntilAsync(info => Count(info.GetProperty("pool"), "idle") == 6);
            NodeException refused = await Assert.ThrowsAsync<NodeException>(() => node.Node.ScaleAsync("app", minimum: 0, limit: 3));
            Assert.Contains("lives on 4 loops", refused.Message);
            List<CocaineClient> clients = [];
            for (int i = 0; i < 8; i++)
            {
                clients.Add(await TestNode.ConnectAsync(app));
            }

            await node.Node.PauseAsync("app");
            foreach (CocaineClient client in clients)
            {
                Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("version"))).Code);
            }

            await node.Node.ResumeAsync("app");
            foreach (CocaineClient client in clients)
            {
                Assert.Equal("1", await client.TextAsync("version"));
                await client.DisposeAsync();
            }
        });
    }

    [Fact]
    public async Task Every_loop_answers_info_with_the_sums_of_all()
    {
        await WithAsync(Four, async (_, app) =>
        {
            for (int i = 1; i <= 8; i++)
            {
                await using CocaineClient client = await TestNode.ConnectAsync(app);
                Assert.Equal("1", await client.TextAsync("version"));
                using JsonDocument info = JsonDocument.Parse(MessagePackSerializer.ConvertToJson(await client.InfoAsync().WaitAsync(Versions.Long)));
                Assert.Equal(i, Count(info.RootElement.GetProperty("jobs"), "done"));
                Assert.Equal(4, info.RootElement.GetProperty("shards").GetArrayLength());
            }
        });
    }

    private static async Task WithAsync(EngineSettings engine, Func<TestNode, RunningApp, Task> test)
    {
        await using TestNode node = TestNode.Start();
        await test(node, await node.AddAsync(Versions.Python(1, engine)));
    }

    private static async Task<string> LimitsAsync(RunningApp app) =>
        string.Join(' ', (await app.InfoAsync()).GetProperty("shards").EnumerateArray().Select(shard => Count(shard, "limit")));

    private static JobRecords Ledger(TestNode node) => JobRecords.Read(node.LedgerDirectory, "app").Single();

    private static long Count(JsonElement of, string name) => of.GetProperty(name).GetInt64();
}
