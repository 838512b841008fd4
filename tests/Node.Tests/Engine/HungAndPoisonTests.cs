using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>Jobs that kill their worker and jobs that never end, among others, with real workers.</summary>
public sealed class HungAndPoisonTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("poison-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Forty_calls_beside_one_that_kills_its_worker_are_answered_and_it_alone_is_quarantined(int poolLimit)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = poolLimit, Concurrency = 64, QueueLimit = 100, RetryLimit = 1 };
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string kill = Path.Combine(_folder, "kill"), go = Path.Combine(_folder, "go");
        Task<byte[]>[] innocent = [.. Enumerable.Range(0, 40).Select(_ => client.CallAsync("hold", Utf8.Of(go)))];
        Task<byte[]> poison = client.CallAsync("poison", Utf8.Of(kill));
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 41);

        File.WriteAllText(kill, "");
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("retried").GetInt32() > 0);
        File.WriteAllText(go, "");

        CocaineException killer = await Assert.ThrowsAsync<CocaineException>(() => poison).WaitAsync(TimeSpan.FromSeconds(120));
        Assert.Equal(502, killer.Code);
        byte[][] answers = await Task.WhenAll(innocent).WaitAsync(TimeSpan.FromSeconds(120));
        Assert.All(answers, answer => Assert.Equal("held", Encoding.UTF8.GetString(answer)));
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("quarantined").GetInt32() == 1
            && node.Log.Contains("killed each slave")); // the quarantine writes by itself
        Assert.Contains("jobs when it died, and any of them may be the cause", node.Log);
        Assert.Contains("; jobs on it: ", node.Log);
        Assert.Equal(1, node.Log.Split("killed each slave").Length - 1);
        Assert.Equal("after", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("after"))));
    }

    [Fact]
    public async Task Calls_that_may_run_once_are_told_that_one_of_them_killed_the_worker_and_none_is_quarantined()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, Concurrency = 8, RetryLimit = 0 };
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string kill = Path.Combine(_folder, "kill");
        CallOptions thrice = new() { RetryLimit = 3 }; // not his to decide
        Task<byte[]> innocent = client.CallAsync("hold", Utf8.Of(kill + "-never"), thrice);
        Task<byte[]> poison = client.CallAsync("poison", Utf8.Of(kill), thrice);
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 2);
        File.WriteAllText(kill, "");
        foreach (Task<byte[]> call in (Task<byte[]>[])[innocent, poison])
        {
            CocaineException failed = await Assert.ThrowsAsync<CocaineException>(() => call).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(502, failed.Code);
            Assert.Contains("exit code 3; this was one of 2 jobs on it", failed.Message);
        }

        JsonElement jobs = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("jobs");
        Assert.Equal((0, 0), (jobs.GetProperty("quarantined").GetInt32(), jobs.GetProperty("retried").GetInt32()));
    }

    [Theory]
    [InlineData("never")]
    [InlineData("deaf")]
    public async Task A_timer_whose_tick_never_ends_goes_on_after_its_job_timeout(string handler)
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = TestApps.Python("asynchronous.py", new EngineSettings { PoolLimit = 1, TerminationTimeoutMs = 100 });
        TaskManifest timer = new()
        {
            Name = handler,
            DriverType = "drifting-timer",
            Keys = new Dictionary<string, object> { ["interval"] = 20L, ["job-timeout"] = 200L },
        };
        RunningApp app = await node.AddAsync(manifest with { Tasks = [manifest.Tasks[0], timer] });
        await app.UntilAsync(info => info.GetProperty("tasks").GetProperty(handler).GetProperty("ticks").GetInt64() >= 3
            && info.GetProperty("jobs").GetProperty("timeouts").GetProperty("job").GetInt32() >= 2);
        Assert.Contains($"({handler}) ran for its job-timeout of 200 ms", node.Log);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(TimeSpan.FromSeconds(60))));
        JsonElement times = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("tasks").GetProperty(handler)
            .GetProperty("time-on-slave-s");
        Assert.True(times.GetProperty("failed").GetInt32() >= 2);
        Assert.True(times.GetProperty("sum").GetDouble() >= 0.4);
    }

    [Fact]
    public async Task A_worker_that_hangs_prints_where_before_it_is_killed_and_the_line_names_its_jobs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, HeartbeatTimeoutMs = 1000 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException hung = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("sleep", Utf8.Of("600")));
        Assert.Equal(504, hung.Code);
        await app.UntilAsync(_ => node.Log.Contains(" in sleep"));
        Assert.Contains("was silent for its heartbeat-timeout of 1000 ms; jobs on it: 1 (sleep)", node.Log);
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(TimeSpan.FromSeconds(60))));
        Assert.Contains("1000 ms; signal 9", node.Log); // it printed and went on: the moment was over
    }

    /// <summary>It can print nothing, and does not end by a signal that it may handle.</summary>
    [Fact]
    public async Task A_worker_that_was_stopped_is_killed_all_the_same()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, HeartbeatTimeoutMs = 1000 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string worker = Encoding.UTF8.GetString(await client.CallAsync("pid", default(ReadOnlyMemory<byte>)));
        using (Process stop = Process.Start("/bin/kill", ["-STOP", worker]))
        {
            await stop.WaitForExitAsync();
        }

        Assert.Equal(504, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("x")))).Code);
        byte[] next = await client.CallAsync("pid", default(ReadOnlyMemory<byte>)).WaitAsync(TimeSpan.FromSeconds(60));
        Assert.NotEqual(worker, Encoding.UTF8.GetString(next));
        await app.UntilAsync(_ => !Directory.Exists($"/proc/{worker}"));
    }

    [Fact]
    public async Task Info_says_what_a_slave_runs_and_for_how_long()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", new EngineSettings { PoolLimit = 1, Concurrency = 40 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string go = Path.Combine(_folder, "go");
        Task<byte[]>[] calls = [.. Enumerable.Range(0, 20).Select(_ => client.CallAsync("hold", Utf8.Of(go)))];
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 20);
        JsonElement slave = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("pool").GetProperty("slaves")[0];
        JsonElement[] jobs = [.. slave.GetProperty("jobs").EnumerateArray()];
        Assert.Equal((20, 16), (slave.GetProperty("load").GetInt32(), jobs.Length)); // the oldest
        Assert.Equal(Enumerable.Range(1, 16), jobs.Select(job => job.GetProperty("id").GetInt32()));
        Assert.All(jobs, job => Assert.Equal("hold", job.GetProperty("event").GetString()));
        Assert.All(jobs, job => Assert.True(job.GetProperty("age-ms").GetInt64() >= 0));
        File.WriteAllText(go, "");
        await Task.WhenAll(calls);
        slave = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("pool").GetProperty("slaves")[0];
        Assert.Empty(slave.GetProperty("jobs").EnumerateArray());
    }

    [Fact]
    public async Task The_engines_job_timeout_is_a_calls_too_and_a_reload_changes_it()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = TestApps.Python("asynchronous.py", new EngineSettings { PoolLimit = 1, Concurrency = 4, JobTimeoutMs = 150 });
        RunningApp app = await node.AddAsync(manifest);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException failed = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("never", Utf8.Of("x")));
        Assert.Equal((504, "the job ran for its job-timeout of 150 ms and was cancelled"), (failed.Code, failed.Message));

        await node.Node.ReplaceAsync(manifest with { Version = 1, Engine = manifest.Engine with { JobTimeoutMs = 0 } });
        Task<byte[]> never = client.CallAsync("never", Utf8.Of("x"), new CallOptions { Deadline = TimeSpan.FromMilliseconds(700) });
        Assert.Equal(520, (await Assert.ThrowsAsync<CocaineException>(() => never)).Code);
    }
}
