using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>What slaves leave behind when they end, or do not.</summary>
public class LeftBehindTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Threads_that_hang_are_counted_and_shown_and_past_a_bound_no_more_are_started_until_one_returns()
    {
        const int Most = 16; // LeftBehind.MostThreads
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new()
        {
            PoolLimit = Most,
            QueueLimit = 0,
            HeartbeatTimeoutMs = 1000,
            RetryLimit = 0,
            StartupTimeoutMs = 60_000,
        };
        RunningApp app = await node.AddAsync(DotNetApps.Of("Hanging", BackendType.Thread, engine: engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        CocaineException[] hung = await Task.WhenAll(Enumerable.Range(0, Most).Select(_ =>
            Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("until", Utf8.Of(gate))))).WaitAsync(Limit);
        Assert.All(hung, one => Assert.Equal(504, one.Code));
        await app.UntilAsync(info => Left(info, "threads") == Most);

        Task<byte[]> refusal = client.CallAsync("echo", Utf8.Of("x"));
        Assert.True(await Task.WhenAny(refusal, Task.Delay(Limit)) == refusal, node.Log);
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => refusal);
        Assert.Equal(500, refused.Code);
        Assert.Contains("16 threads of slaves that were given up still run in their handlers", app.Engine.Pool.LastFailure);
        Assert.Equal(Most, (int)app.Engine.Counters.SlavesKilled); // not one more was started

        File.WriteAllText(gate, "");
        await app.UntilAsync(info => Left(info, "threads") == 0);
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("idle").GetInt32() > 0);
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit)));
        File.Delete(gate);
    }

    [Theory]
    [InlineData(BackendType.Thread)]
    [InlineData(BackendType.Process)]
    public async Task An_app_that_can_be_disposed_is_when_its_slave_ends(BackendType backend)
    {
        string path = Path.Combine(Path.GetTempPath(), $"disposed-{Guid.NewGuid():N}");
        await using (TestNode node = TestNode.Start())
        {
            RunningApp app = await node.AddAsync(DotNetApps.Of("Disposed", backend));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            await client.CallAsync("path", Utf8.Of(path)).WaitAsync(Limit);
            Assert.False(File.Exists(path));
        }

        Assert.Equal("disposed", File.ReadAllText(path));
        File.Delete(path);
    }

    [Fact]
    public async Task Code_that_a_static_timer_keeps_in_memory_is_counted_and_told()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await RecycleAsync(node, "StaticTimer");
        Collect();
        await app.UntilAsync(info => Left(info, "code") >= 4);
        await RecycleAsync(app);
        await node.LogLines.UntilAsync("slaves that have ended is still in memory").WaitAsync(Limit);
    }

    [Fact]
    public async Task Code_of_an_app_that_ends_what_it_began_is_unloaded()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await RecycleAsync(node, "OwnTimer");
        for (int i = 0; i < 50; i++)
        {
            Collect();
            int left = -1;
            await app.UntilAsync(info => (left = Left(info, "code")) >= 0);
            if (left == 0)
            {
                return;
            }
        }

        Assert.Fail("the code is still there after 150 collections");
    }

    /// <summary>Two collections of these are those that code must survive to count as left.</summary>
    private static void Collect()
    {
        for (int i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
    }

    private static async Task<RunningApp> RecycleAsync(TestNode node, string name)
    {
        EngineSettings engine = new() { PoolLimit = 1, QueueLimit = 0, MaxJobs = 1 };
        RunningApp app = await node.AddAsync(DotNetApps.Of(name, BackendType.Thread, engine: engine));
        await RecycleAsync(app);
        return app;
    }

    /// <summary>Runs jobs until some more slaves were replaced, and have ended.</summary>
    private static async Task RecycleAsync(RunningApp app)
    {
        const ulong Slaves = 6;
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (ulong until = app.Engine.Counters.RecycledForJobs + Slaves; app.Engine.Counters.RecycledForJobs < until;)
        {
            await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit);
        }

        // The last one may be ended in place, with no other launched before a job needs it: so none leaves, and not: one is there.
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("leaving").GetInt32() == 0);
    }

    private static int Left(System.Text.Json.JsonElement info, string what) =>
        info.GetProperty("pool").GetProperty($"{what}-left-behind").GetInt32();
}
