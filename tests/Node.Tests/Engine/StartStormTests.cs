using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>What could make a node start workers without an end, or more of them than the machine can load at a time.</summary>
[Collection(nameof(Alone))]
public sealed class StartStormTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly string _folder = Directory.CreateTempSubdirectory("storm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_timer_whose_jobs_kill_their_workers_costs_few_starts_and_a_short_log_and_works_once_they_do_not()
    {
        string calm = Path.Combine(_folder, "calm");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(_folder, $"""
            import os
            def tick(request):
                if not os.path.exists("{calm}"): os._exit(1)
            """, new EngineSettings { PoolLimit = 4, QueueLimit = 10, StartupTimeoutMs = 60_000 }) with
        {
            Tasks = [new() { Name = "tick", DriverType = "recurring-timer", Keys = new Dictionary<string, object> { ["interval"] = 20L } }],
        });
        await node.LogLines.UntilAsync(" died while ", times: 3).WaitAsync(Limit);

        Stopwatch watch = Stopwatch.StartNew();
        (ulong starts, int logged) = (app.Engine.Counters.SlavesStarted, node.Log.Length);
        await Task.Delay(TimeSpan.FromSeconds(10)); // not a wait for something: the time over which is counted
        double seconds = watch.Elapsed.TotalSeconds;
        Assert.InRange((app.Engine.Counters.SlavesStarted - starts) / seconds, 0.1, 2);
        Assert.InRange((node.Log.Length - logged) / seconds, 0, 2048);

        File.WriteAllText(calm, "");
        ulong done = app.Engine.Counters.JobsDone;
        await app.UntilAsync(info => Text(info, "state") == "running" && app.Engine.Counters.JobsDone > done + 20);
    }

    [Fact]
    public async Task Sixty_calls_to_an_app_that_takes_a_second_to_load_are_answered_without_a_slave_for_each()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python(_folder, """
            import time
            begin = time.process_time()
            while time.process_time() - begin < 1: pass
            def work(request):
                time.sleep(0.05)
                return b"done"
            """, new EngineSettings { PoolLimit = 30, QueueLimit = 0 }));
        Assert.All(await CallAsync(app, 60), answer => Assert.Equal("done", answer));
        Assert.InRange(app.Engine.Counters.SlavesStarted, 1UL, 10UL);
        Assert.All(await CallAsync(app, 10), answer => Assert.Equal("done", answer));
        await app.UntilAsync(info => Text(info, "state") == "running");
        Assert.DoesNotContain("app: broken", node.Log);
    }

    private static string? Text(JsonElement info, string key) => info.GetProperty(key).GetString();

    private static async Task<string[]> CallAsync(RunningApp app, int count) =>
        await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            return Encoding.UTF8.GetString(await client.CallAsync("work", Utf8.Of("x")).WaitAsync(Limit));
        }));
}
