using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Shards;

/// <summary>Whatever happens to an app on several loops, each call gets exactly one answer.</summary>
public class ShardsUnderLoadTests
{
    private static readonly EngineSettings Four =
        new() { Loops = 4, PoolLimit = 8, PoolMinimum = 4, QueueLimit = 4096, RetryLimit = 100, RetryLimitMax = 100 };

    [Fact]
    public async Task Slaves_that_are_killed_lose_no_call()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four, "busy.py"));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 16, callsAtOnce: 4);
        for (int i = 0; i < 8; i++)
        {
            await load.ForAsync(100);
            JsonElement[] slaves = [.. (await app.InfoAsync()).GetProperty("pool").GetProperty("slaves").EnumerateArray()];
            int victim = slaves.Select(slave => slave.GetProperty("pid").GetInt32()).Where(pid => pid > 0).ElementAt(i % 4);
            Process.GetProcessById(victim).Kill();
        }

        await load.ForAsync(100);
        Assert.Empty(await load.StopAsync());
        await HoldsAsync(app, load.Answers);
    }

    [Fact]
    public async Task Replacements_by_versions_with_as_many_loops_lose_no_call_and_no_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 16, callsAtOnce: 2);
        List<Task> drained = [];
        for (int version = 2; version <= 5; version++)
        {
            await load.ForAsync(200);
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(Versions.Python(version, Four)).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
            drained.Add(outcome.Drained);
            for (int i = 0; i < 4; i++) // the call of whoever connects now is answered by the new version, on each loop
            {
                await using CocaineClient client = await TestNode.ConnectAsync(app);
                Assert.Equal($"{version}", await client.TextAsync("version"));
            }
        }

        Assert.Empty(await load.StopAsync());
        await Task.WhenAll(drained).WaitAsync(Versions.Long);
        await HoldsAsync(app, load.Answers + 16);
    }

    [Fact]
    public async Task A_replacement_may_have_more_loops_and_then_fewer()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four with { Loops = 1 }));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 4, callsAtOnce: 2); // these stay where they are
        int version = 1;
        foreach (int loops in (int[])[2, 5, 8, 8, 1])
        {
            await load.ForAsync(50);
            CheckedLoad coming = new(app.Endpoints[0].Endpoint, 8, 1, reconnects: true);
            await coming.ForAsync(50);
            AppManifest next = Versions.Python(++version, Four with { Loops = loops });
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(next).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
            if (loops > 1)
            {
                await coming.ForAsync(50);
                Assert.Empty(await coming.StopAsync());
            }
            else
            {
                await coming.StopAsync(); // clients on loops that the app leaves are told so, as those of a task that ends
            }

            for (int i = 0; i < loops; i++)
            {
                await using CocaineClient client = await TestNode.ConnectAsync(app);
                Assert.Equal($"{version}", await client.TextAsync("version"));
            }
        }

        Assert.Empty(await load.StopAsync());
        await app.UntilAsync(info => info.GetProperty("older").GetArrayLength() == 0);
    }

    [Fact]
    public async Task A_stop_answers_the_accepted_calls_on_every_loop()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        string gate = Versions.Gate();
        (List<CocaineClient> clients, List<Task<string>> held) = await HoldAsync(app, gate, callsOfEach: 2); // half of them wait
        Task deleted = node.Node.DeleteAsync("app", Versions.Long);
        await app.UntilAsync(info => info.GetProperty("state").GetString() == "draining");
        foreach (CocaineClient client in clients)
        {
            Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("version"))).Code);
        }

        Assert.False(deleted.IsCompleted);
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("held by 1", answer));
        await deleted.WaitAsync(Versions.Long);
        File.Delete(gate);
        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    [Fact]
    public async Task A_stop_at_once_fails_what_is_left_on_every_loop()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, Four));
        string gate = Versions.Gate();
        (List<CocaineClient> clients, List<Task<string>> held) = await HoldAsync(app, gate, callsOfEach: 3);
        await node.Node.DeleteAsync("app", TimeSpan.FromMilliseconds(100)).WaitAsync(Versions.Long);
        foreach (Task<string> call in held)
        {
            Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => call)).Code);
        }

        await Task.WhenAll(clients.Select(client => client.DisposeAsync().AsTask()));
    }

    /// <summary>Eight clients with calls that end when the gate is there; the app has all of them.</summary>
    private static async Task<(List<CocaineClient> Clients, List<Task<string>> Held)> HoldAsync(RunningApp app, string gate, int callsOfEach)
    {
        List<CocaineClient> clients = [];
        List<Task<string>> held = [];
        for (int i = 0; i < 8; i++)
        {
            clients.Add(await TestNode.ConnectAsync(app));
            held.AddRange(Enumerable.Range(0, callsOfEach).Select(_ => clients[^1].TextAsync("hold", gate)));
        }

        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("accepted").GetInt64() == held.Count);
        return (clients, held);
    }

    /// <summary>Nothing is left, nothing was lost, and nothing counts twice.</summary>
    private static async Task HoldsAsync(RunningApp app, long answers)
    {
        JsonElement jobs = (await app.InfoAsync()).GetProperty("jobs");
        Assert.Equal((answers, answers, 0L, 0L, 0L, 0L), (Count("accepted"), Count("done"), Count("failed"), Count("rejected"), Count("queued"), Count("running")));

        long Count(string name) => jobs.GetProperty(name).GetInt64();
    }
}
