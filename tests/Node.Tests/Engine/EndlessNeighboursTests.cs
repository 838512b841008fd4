using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>A worker dies with jobs that do not end on it, with real workers: everybody else is answered, and they run on.</summary>
public sealed class EndlessNeighboursTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("endless-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Calls_of_a_killed_worker_are_answered_although_others_of_it_do_not_end(int poolLimit)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = poolLimit, Concurrency = 16, RetryLimit = 1 };
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string end = Path.Combine(_folder, "end"), go = Path.Combine(_folder, "go");
        Task<byte[]>[] endless = [.. Enumerable.Range(0, 3).Select(_ => client.CallAsync("hold", Utf8.Of(end)))];
        Task<byte[]>[] others = [.. Enumerable.Range(0, 3).Select(_ => client.CallAsync("hold", Utf8.Of(go)))];
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 6);

        foreach (JsonElement slave in (await app.InfoAsync()).GetProperty("pool").GetProperty("slaves").EnumerateArray())
        {
            if (slave.GetProperty("pid").GetInt32() is > 0 and int pid)
            {
                using Process worker = Process.GetProcessById(pid);
                worker.Kill();
            }
        }

        File.WriteAllText(go, "");
        byte[][] answers = await Task.WhenAll(others).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal("held", Encoding.UTF8.GetString(answer)));
        Assert.Equal("usual", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("usual")).WaitAsync(Patience)));
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 3); // the endless ones run again, all of them
        Assert.All(endless, call => Assert.False(call.IsCompleted));

        File.WriteAllText(end, "");
        answers = await Task.WhenAll(endless).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal("held", Encoding.UTF8.GetString(answer)));
    }

    /// <summary>Eight halvings, each with two seconds for the half that lives: alone after each other, they would take nine minutes.</summary>
    [Fact]
    public async Task A_call_that_kills_among_255_that_do_not_end_is_found_by_halving()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 2, Concurrency = 256, QueueLimit = 1000, RetryLimit = 1 };
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string end = Path.Combine(_folder, "end"), kill = Path.Combine(_folder, "kill");
        List<Task<byte[]>> endless = [.. Enumerable.Range(0, 100).Select(_ => client.CallAsync("hold", Utf8.Of(end)))];
        Task<byte[]> poison = client.CallAsync("poison", Utf8.Of(kill));
        endless.AddRange(Enumerable.Range(0, 155).Select(_ => client.CallAsync("hold", Utf8.Of(end))));
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 256);
        Stopwatch watch = Stopwatch.StartNew();
        File.WriteAllText(kill, "");

        CocaineException killer = await Assert.ThrowsAsync<CocaineException>(() => poison).WaitAsync(Patience);
        Console.WriteLine($"found after {watch.Elapsed.TotalSeconds:F1} s");
        Assert.Equal(502, killer.Code);
        File.WriteAllText(end, "");
        byte[][] answers = await Task.WhenAll(endless).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal("held", Encoding.UTF8.GetString(answer)));
        JsonElement jobs = (await app.InfoAsync()).GetProperty("jobs");
        Assert.Equal((255, 1, 1), (jobs.GetProperty("done").GetInt32(), jobs.GetProperty("failed").GetInt32(), jobs.GetProperty("quarantined").GetInt32()));
    }

    [Fact]
    public async Task A_call_that_kills_beside_calls_that_do_not_end_is_quarantined_and_they_are_answered()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, Concurrency = 16, RetryLimit = 3 };
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string end = Path.Combine(_folder, "end"), kill = Path.Combine(_folder, "kill");
        Task<byte[]>[] endless = [.. Enumerable.Range(0, 2).Select(_ => client.CallAsync("hold", Utf8.Of(end)))];
        Task<byte[]> poison = client.CallAsync("poison", Utf8.Of(kill));
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 3);
        File.WriteAllText(kill, "");

        CocaineException killer = await Assert.ThrowsAsync<CocaineException>(() => poison).WaitAsync(Patience);
        Assert.Equal(502, killer.Code);
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("quarantined").GetInt32() == 1);
        Assert.Contains("have run apart for 2000 ms on slave", node.Log); // some of its deaths were beside the others
        File.WriteAllText(end, "");
        byte[][] answers = await Task.WhenAll(endless).WaitAsync(Patience);
        Assert.All(answers, answer => Assert.Equal("held", Encoding.UTF8.GetString(answer)));
    }
}
