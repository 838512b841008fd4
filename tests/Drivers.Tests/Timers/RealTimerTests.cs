using System.Globalization;
using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Timers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>Timers on real time before real workers.</summary>
public sealed class RealTimerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("ticking-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_kind_of_timer_runs_its_app_and_tells_about_itself()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(
            Task("tick", "recurring-timer", ("interval", 20L)),
            Task("drift", "drifting-timer", ("interval", 20L)),
            Task("second", "cron", ("schedule", "* * * * * *"), ("time-zone", "Europe/Berlin")),
            Task("manual", "manual-scheduler")));
        Assert.Empty(app.Endpoints);
        JsonElement tasks = await UntilAsync(app, tasks => Number(tasks, "tick") >= 60 && Number(tasks, "drift") >= 5
            && Number(tasks, "second") >= 2 && Number(tasks, "manual") >= 5);
        foreach (string name in (string[])["tick", "drift", "second", "manual"])
        {
            JsonElement task = tasks.GetProperty(name);
            Assert.Equal(0, task.GetProperty("dropped").GetInt64());
            string next = task.GetProperty("next-tick").GetString()!;
            Assert.True(next == "none" || DateTimeOffset.TryParse(next, CultureInfo.InvariantCulture, out _), next);
        }

        await node.DisposeAsync(); // the file is whole
        string[] drift = [.. File.ReadAllLines(Path.Combine(_folder, "drift")).Select(line => line.Split(' ')[1])];
        Assert.Equal(drift.Select((_, index) => index % 2 == 0 ? "begin" : "end"), drift); // never two at once
        double[] manual = [.. Times("manual")];
        Assert.All(manual.Zip(manual.Skip(1)), pair => Assert.True(pair.Second - pair.First >= 0.05, $"{pair.First} {pair.Second}"));
    }

    [Fact]
    public async Task No_tick_comes_early_none_is_lost_and_each_is_a_job()
    {
        const long IntervalMs = 5;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(Task("tick", "recurring-timer", ("interval", IntervalMs))));
        RecurringTimerDriver timer = (RecurringTimerDriver)app.Drivers[0];
        EventLoop loop = (EventLoop)app.Engine.Loop;
        for (int i = 0; i < 50; i++)
        {
            (long passed, long ticks, long later) = (0, 0, 0);
            await loop.RunAsync(() => (passed, ticks) = ((loop.NowMs - timer.StartMs) / IntervalMs, (long)timer.Facts["ticks"]));
            await loop.RunAsync(() => later = (long)timer.Facts["ticks"]); // a turn later, so all that had passed have come
            Assert.InRange(ticks, 0, passed);
            Assert.InRange(later, passed, long.MaxValue);
            await UntilAsync(app, tasks => Number(tasks, "tick") > later);
        }

        await node.DisposeAsync();
        EngineCounters counters = app.Engine.Counters;
        Assert.Equal((counters.JobsAccepted, 0UL), (counters.JobsDone, counters.JobsFailed));
        Assert.Equal((long)counters.JobsDone, Times("tick").LongCount());
        Assert.Equal((long)timer.Facts["ticks"], (long)(counters.JobsAccepted + counters.JobsRejected));
    }

    [Fact]
    public async Task A_stop_ends_the_ticks_and_finishes_the_job_under_way()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(Task("hold", "recurring-timer", ("interval", 50L))) with
        {
            Engine = new EngineSettings { PoolLimit = 1, QueueLimit = 1 },
        });
        await UntilAsync(app, tasks => Number(tasks, "hold", "dropped") > 0 && Number(tasks, "hold", "running") == 2); // one runs, one waits
        Task stopping = node.Node.StopAsync(TimeSpan.FromSeconds(20));
        await app.UntilInfoShowsAsync("\"draining\"");
        JsonElement before = await UntilAsync(app, _ => true);
        File.WriteAllText(Path.Combine(_folder, "release"), "");
        await stopping.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal("none", before.GetProperty("hold").GetProperty("next-tick").GetString());
        Assert.Equal(["begin", "end", "begin", "end"], File.ReadAllLines(Path.Combine(_folder, "hold")).Select(line => line.Split(' ')[1]));
        Assert.Contains("a tick was dropped", node.Log);
        await node.DisposeAsync();
    }

    [Theory]
    [InlineData("recurring-timer", "task bad: recurring-timer has no value for 'interval'")]
    [InlineData("cron", "task bad: cron has no value for 'schedule'")]
    public async Task A_timer_without_its_key_does_not_start(string type, string problem)
    {
        await using TestNode node = TestNode.Start();
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(App(Task("bad", type))));
        Assert.Contains(problem, failure.Message);
    }

    [Theory]
    [InlineData("61 * * * *", "UTC", "Value must be a number between 0 and 59")]
    [InlineData("* * *", "UTC", "has not 5 or 6 fields")]
    [InlineData("* * * * *", "Europe/Berln", "knows no time zone 'Europe/Berln'")]
    public async Task A_schedule_that_cannot_be_used_does_not_start(string schedule, string zone, string problem)
    {
        await using TestNode node = TestNode.Start();
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() =>
            node.AddAsync(App(Task("bad", "cron", ("schedule", schedule), ("time-zone", zone)))));
        Assert.Contains("task bad: ", failure.Message);
        Assert.Contains(problem, failure.Message);
    }

    private AppManifest App(params TaskManifest[] tasks) => TestApps.Python(
        "ticking.py", new EngineSettings { PoolLimit = 4, PoolMinimum = 4, QueueLimit = 1000 },
        new Dictionary<string, string> { ["TICKING"] = _folder }) with
    { Tasks = tasks };

    private static TaskManifest Task(string name, string type, params (string Key, object Value)[] keys) =>
        new() { Name = name, DriverType = type, Keys = keys.ToDictionary(key => key.Key, key => key.Value) };

    private static long Number(JsonElement tasks, string name, string fact = "ticks") =>
        tasks.GetProperty(name).GetProperty(fact).GetInt64();

    private IEnumerable<double> Times(string name) => File.ReadAllLines(Path.Combine(_folder, name))
        .Select(line => double.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture));

    /// <summary>Asks for info until it shows what is waited for; each question is answered by the loop, so this does not spin.</summary>
    private static async Task<JsonElement> UntilAsync(RunningApp app, Func<JsonElement, bool> shows)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            JsonElement tasks = JsonDocument.Parse(await app.InfoJsonAsync().WaitAsync(limit.Token)).RootElement.GetProperty("tasks");
            if (shows(tasks))
            {
                return tasks;
            }

            await System.Threading.Tasks.Task.Delay(5, limit.Token); // the machine is the workers', too
        }
    }
}
