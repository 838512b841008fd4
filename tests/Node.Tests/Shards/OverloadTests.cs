using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Node.Tests.Shards;

/// <summary>
/// All clients of an app may be on one of its loops. Then the slaves of the others work for them, and nobody notices but by the time.
/// </summary>
public class OverloadTests
{
    private static readonly EngineSettings Four = new() { Loops = 4, PoolLimit = 8, PoolMinimum = 8, QueueLimit = 4096 };

    [Fact]
    public async Task The_jobs_of_one_connection_run_on_the_slaves_of_all_loops_at_once()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        await IdleAsync(app);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 8).Select(_ => client.TextAsync("hold", gate))];
        await app.UntilAsync(info => Pool(info, "busy") == 8); // a loop has two slaves of its own
        Task<string> waits = client.TextAsync("version");
        await app.UntilAsync(info => Jobs(info, "queued") == 1);
        Assert.Equal(8, Jobs(await app.InfoAsync(), "running"));
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("held by 1", answer));
        Assert.Equal("1", await waits);
        await HoldsAsync(app, done: 9);
        IReadOnlyList<LedgerEntry> jobs = JobRecords.Read(node.LedgerDirectory, "app").Single().Entries;
        Assert.Equal(9, jobs.Count(job => job.Outcome == JobOutcome.Done && job.Runs == 1));
        Assert.Equal(8, jobs.Where(job => job.Event == "hold").Select(job => job.Slave).Distinct().Count()); // each names its own slave
        File.Delete(gate);
    }

    [Fact]
    public async Task Places_for_slaves_are_used_too_when_no_slave_is_there_yet()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { PoolMinimum = 0 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 8).Select(_ => client.TextAsync("hold", gate))];
        await app.UntilAsync(info => Pool(info, "busy") == 8);
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("held by 1", answer));
        File.Delete(gate);
    }

    [Fact]
    public async Task A_burst_fills_the_slaves_of_all_loops_before_a_call_is_refused()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { QueueLimit = 12 })); // three places on each loop
        await IdleAsync(app);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 11).Select(_ => client.TextAsync("hold", gate))];
        await app.UntilAsync(info => Jobs(info, "accepted") + Jobs(info, "rejected") == 11 && Pool(info, "busy") == 8);
        Assert.Equal((0, 3), (Jobs(await app.InfoAsync(), "rejected"), Jobs(await app.InfoAsync(), "queued")));
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("hold", gate))).Code);
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("held by 1", answer));
        File.Delete(gate);
    }

    [Fact]
    public async Task A_loop_that_needs_its_slaves_has_them()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { PoolLimit = 4, PoolMinimum = 4 }));
        await IdleAsync(app);
        CocaineClient[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestNode.ConnectAsync(app)))]; // one on each loop
        string gate = Versions.Gate(), second = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 4).Select(_ => clients[0].TextAsync("hold", gate))];
        await app.UntilAsync(info => Pool(info, "busy") == 4);
        Task<string>[] further = [.. Enumerable.Range(0, 40).Select(_ => clients[0].TextAsync("hold", second))], own = [.. clients[1..].Select(one => one.TextAsync("version"))];
        await app.UntilAsync(info => Jobs(info, "accepted") == 47);
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(own), answer => Assert.Equal("1", answer)); // although 40 jobs have waited elsewhere for as long
        File.WriteAllText(second, "");
        await Task.WhenAll([.. held, .. further]);
        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
        await HoldsAsync(app, done: 47);
        File.Delete(gate);
        File.Delete(second);
    }

    [Fact]
    public async Task Under_overload_of_one_loop_slaves_that_die_and_versions_that_come_lose_no_call()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = Four with { RetryLimit = 100, RetryLimitMax = 100 };
        RunningApp app = await node.AddAsync(Busy(1, engine));
        await IdleAsync(app);
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 1, callsAtOnce: 64);
        for (int version = 2; version <= 4; version++)
        {
            for (int i = 0; i < 4; i++)
            {
                await load.ForAsync(60);
                JsonElement[] busy = [.. (await app.InfoAsync()).GetProperty("pool").GetProperty("slaves").EnumerateArray()
                    .Where(slave => slave.GetProperty("state").GetString() == "busy" && slave.GetProperty("pid").GetInt32() > 0)];
                if (busy.Length > 0)
                {
                    Kill(busy[i % busy.Length].GetProperty("pid").GetInt32());
                }
            }

            ReplaceOutcome outcome = await node.Node.ReplaceAsync(Busy(version, engine)).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
        }

        await load.ForAsync(100);
        JsonElement info = await app.InfoAsync();
        Assert.Empty(await load.StopAsync());
        Assert.InRange(info.GetProperty("shards").EnumerateArray().Sum(shard => shard.GetProperty("sent-away").GetInt64()), 100, long.MaxValue);
        await HoldsAsync(app, load.Answers);
    }

    [Fact]
    public async Task Callers_that_go_away_in_the_middle_of_it_leave_nothing_behind()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Busy(1, Four));
        await IdleAsync(app);
        for (int i = 0; i < 10; i++)
        {
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            Task<string>[] calls = [.. Enumerable.Range(0, 32).Select(call => client.TextAsync("echo", $"{call}"))];
            await Task.WhenAny(calls); // some are away now, some wait
            using CancellationTokenSource gone = new(TimeSpan.FromMilliseconds(10 * i));
            await Task.WhenAny(Task.WhenAll(calls), Task.Delay(Timeout.Infinite, gone.Token));
            await client.DisposeAsync();
            await Task.WhenAll(calls.Select(call => call.ContinueWith(static one => one.Exception, TaskScheduler.Default)));
        }

        await app.UntilAsync(info => Jobs(info, "running") + Jobs(info, "queued") == 0 && Pool(info, "idle") == 8);
        JsonElement jobs = (await app.InfoAsync()).GetProperty("jobs");
        Assert.Equal(jobs.GetProperty("accepted").GetInt64(), jobs.GetProperty("done").GetInt64() + jobs.GetProperty("failed").GetInt64());
        Assert.Equal(jobs.GetProperty("failed").GetInt64(), jobs.GetProperty("client-gone").GetInt64());
    }

    [Fact]
    public async Task Long_answers_come_whole_and_in_order_through_a_slow_client_too()
    {
        const int Chunks = 2000;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Busy(1, Four));
        await IdleAsync(app);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await Task.WhenAll(Enumerable.Range(0, 16).Select(async call =>
        {
            await using ClientCall pour = client.Open("pour");
            await pour.WriteAsync(Utf8.Of($"{Chunks}"));
            await pour.CompleteAsync();
            int next = 0;
            await foreach (ReadOnlyMemory<byte> chunk in pour.ReadAllAsync())
            {
                Assert.Equal($"{next++} ", System.Text.Encoding.UTF8.GetString(chunk.Span[..(chunk.Span.IndexOf((byte)' ') + 1)]));
                if (call % 4 == 0 && next % 500 == 0)
                {
                    await Task.Delay(20); // a client that is slow now and then
                }
            }

            Assert.Equal(Chunks, next);
        })).WaitAsync(Versions.Long);
        Assert.NotEqual(0, (await app.InfoAsync()).GetProperty("shards").EnumerateArray().Sum(shard => shard.GetProperty("sent-away").GetInt64()));
    }

    /// <summary>Its calls take so long that they wait for each other.</summary>
    private static AppManifest Busy(int version, EngineSettings engine) => Versions.Python(version, engine, "busy.py");

    private static void Kill(int pid)
    {
        try
        {
            Process.GetProcessById(pid).Kill();
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            // It has ended by itself meanwhile.
        }
    }

    private static Task IdleAsync(RunningApp app) => app.UntilAsync(info => Pool(info, "idle") == Pool(info, "limit"));

    private static long Pool(JsonElement info, string name) => info.GetProperty("pool").GetProperty(name).GetInt64();

    private static long Jobs(JsonElement info, string name) => info.GetProperty("jobs").GetProperty(name).GetInt64();

    private static async Task HoldsAsync(RunningApp app, long done, long failed = 0)
    {
        JsonElement info = await app.InfoAsync();
        Assert.Equal((done + failed, done, failed, 0L, 0L), (Jobs(info, "accepted"), Jobs(info, "done"), Jobs(info, "failed"), Jobs(info, "queued"), Jobs(info, "running")));
    }
}
