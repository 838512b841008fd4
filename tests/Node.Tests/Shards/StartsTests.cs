using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Shards;

/// <summary>An app on several loops starts slaves like an app on one: as many as its manifest says, and as often as one app may.</summary>
public sealed class StartsTests : IDisposable
{
    private static readonly EngineSettings Four = new() { Loops = 4, PoolLimit = 8, QueueLimit = 4096 };

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(6, 6)]
    public async Task A_fresh_app_starts_the_slaves_that_its_manifest_says(int minimum, int starts)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { PoolMinimum = minimum }));
        await app.UntilAsync(info => Pool(info, "idle") == starts);
        Assert.Equal((ulong)starts, Started(app));
        await node.Node.ReplaceAsync(Versions.Python(2, Four with { PoolMinimum = minimum })).WaitAsync(Versions.Long);
        await app.UntilAsync(info => Pool(info, "idle") == starts && Pool(info, "total") == starts);
        Assert.Equal(2UL * (ulong)starts, Started(app));
    }

    [Fact]
    public async Task A_loop_without_a_slave_answers_at_once_and_gets_its_own()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        await app.UntilAsync(info => Pool(info, "idle") == 1);
        CocaineClient[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => TestNode.ConnectAsync(app)))];
        foreach (CocaineClient client in clients)
        {
            Assert.Equal("1", await client.TextAsync("version").WaitAsync(Versions.Long));
        }

        await app.UntilAsync(info => Pool(info, "idle") == 4);
        Assert.All((await app.InfoAsync()).GetProperty("shards").EnumerateArray(), shard => Assert.Equal(1, shard.GetProperty("done").GetInt64()));
        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    /// <summary>The pauses are 0.1 s, 0.2 s, 0.4 s and so on: in three seconds there is time for six tries.</summary>
    [Fact]
    public async Task An_app_that_does_not_start_is_tried_as_often_as_one_app_may_and_works_on_all_loops_once_it_does()
    {
        string tries = _folder["tries"], gate = _folder["gate"];
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(_folder.Path, $"""
            import os, sys
            open("{tries}", "a").write("x")
            if not os.path.exists("{gate}"): sys.exit(3)
            def echo(request): return request
            """, Four with { PoolMinimum = 4, QueueLimit = 64 }), waitReady: false);
        Stopwatch watch = Stopwatch.StartNew();
        CocaineClient[] clients = [.. await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => TestNode.ConnectAsync(app)))];
        Task<string>[] calls = [.. clients.Select(client => client.TextAsync("echo", "x"))]; // on every loop
        await Task.WhenAll(calls.Select(call => call.ContinueWith(static one => one.Exception, TaskScheduler.Default))).WaitAsync(Versions.Long);
        Assert.All(calls, call => Assert.Equal(500, ((CocaineException)call.Exception!.InnerException!).Code)); // broken, on every loop
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("starts").GetProperty("failed-in-a-row").GetInt64() >= 6);
        int rounds = (int)Math.Log2((watch.ElapsedMilliseconds / EngineLimits.FirstRestartPauseMs) + 1) + 1;
        Assert.InRange(new FileInfo(tries).Length, 6, rounds + 4); // the first try is that of the four slaves of the minimum
        Assert.Equal("broken", (await app.InfoAsync()).GetProperty("state").GetString());
        File.WriteAllText(gate, "");
        await app.UntilAsync(info => Pool(info, "idle") == 4 && info.GetProperty("state").GetString() == "running");
        foreach (CocaineClient client in clients)
        {
            Assert.Equal("x", await client.TextAsync("echo", "x").WaitAsync(Versions.Long));
        }

        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    /// <summary>A request that is not at its end waits for a slave of its own loop; those behind it go where there is room.</summary>
    [Fact]
    public async Task An_unfinished_request_at_the_head_of_the_queue_keeps_no_other_job_from_the_slaves_of_other_loops()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { PoolMinimum = 8 }));
        await app.UntilAsync(info => Pool(info, "idle") == 8);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 2).Select(_ => client.TextAsync("hold", gate))]; // both slaves of the loop
        await app.UntilAsync(info => Pool(info, "busy") == 2);
        await using ClientCall upload = client.Open("echo");
        await upload.WriteAsync(Utf8.Of("slow"));
        Assert.Equal(["1", "1", "1"], await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => client.TextAsync("version"))).WaitAsync(Versions.Long));
        Assert.Equal(1, (await app.InfoAsync()).GetProperty("jobs").GetProperty("queued").GetInt64());
        await upload.CompleteAsync(); // whole: it goes as well
        Assert.Equal("slow", System.Text.Encoding.UTF8.GetString((await upload.ReadAsync())!.Value.Span));
        Assert.DoesNotContain(held, call => call.IsCompleted);
        File.WriteAllText(gate, "");
        await Task.WhenAll(held);
        File.Delete(gate);
    }

    private static ulong Started(RunningApp app) => EngineCounters.Sum(app.Version.Engines.Select(engine => engine.Counters)).SlavesStarted;

    private static long Pool(JsonElement info, string name) => info.GetProperty("pool").GetProperty(name).GetInt64();
}
