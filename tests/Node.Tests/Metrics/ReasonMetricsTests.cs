using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Metrics;
using Cocaine.Fast.Node.Shards;

namespace Cocaine.Fast.Node.Tests.Metrics;

/// <summary>Counts by reason, and the use of CPU and memory, of real slaves.</summary>
public class ReasonMetricsTests
{
    private const string App = "app=\"app\"";

    [Fact]
    public async Task Refusals_waits_ends_starts_and_decisions_are_counted_by_their_reasons()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        EngineSettings engine = new() { PoolLimit = 1, QueueLimit = 1, Concurrency = 1, RetryLimit = 0 };
        RunningApp app = await node.Node.AddAsync(TestApps.Python("behaviours.py", engine) with { Name = "app" });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string> held = client.TextAsync("hold", gate);
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 1);
        Task<string> waits = client.TextAsync("echo", "1");
        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("queued").GetInt32() == 1);
        await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("echo", "2"));
        File.WriteAllText(gate, "");
        Assert.Equal(("held", "1"), (await held, await waits));
        File.Delete(gate);
        await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("die", ""));
        await node.Node.Node.PauseAsync("app");
        await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("echo", "3"));
        await node.Node.Node.ResumeAsync("app");
        Assert.Equal("4", await client.TextAsync("echo", "4"));

        Readings page = await Readings.OfAsync(node.Client);
        Assert.Equal((1, 1, 0), (Refused("queue-jobs"), Refused("paused"), Refused("broken")));
        Assert.InRange(page[$"cocaine_jobs_waited_total{{{App}}}"], 1, 2); // the last one, too, when the new slave was not ready yet
        Assert.Equal((1, 0, 0), (Ended("signal"), Ended("exit"), Ended("start")));
        Assert.Equal(2, page[$"cocaine_slave_start_seconds_count{{{App}}}"]);
        Assert.InRange(page[$"cocaine_slave_start_seconds_sum{{{App}}}"], 0.002, 60);
        Assert.Equal(1, page[$"cocaine_pool_decisions_total{{{App},action=\"grow\",reason=\"start\"}}"]);
        Assert.InRange(page[$"cocaine_pool_decisions_total{{{App},action=\"hold\",reason=\"limit\"}}"], 1, 10);
        Assert.InRange(page[$"cocaine_slaves_resident_memory_bytes{{{App}}}"], 1 << 20, 1L << 40);
        Assert.InRange(page[$"cocaine_connections{{{App},task=\"event\"}}"], 1, 1);
        Assert.True(page["cocaine_loop_busy_seconds_total{loop=\"0\"}"] >= 0);
        Assert.Equal(0, page["cocaine_log_lines_dropped_total"]);

        double Refused(string reason) => page[$"cocaine_jobs_refused_total{{{App},reason=\"{reason}\"}}"];
        double Ended(string cause) => page[$"cocaine_slaves_ended_total{{{App},cause=\"{cause}\"}}"];
    }

    [Fact]
    public async Task Counts_of_a_task_go_on_when_another_version_changes_the_task()
    {
        string folder = Directory.CreateTempSubdirectory("ticking-").FullName;
        await using ControlledNode node = await ControlledNode.StartAsync();
        RunningApp app = await node.Node.AddAsync(Version(1, 10));
        await app.UntilAsync(info => info.GetProperty("tasks").GetProperty("tick").GetProperty("ticks").GetInt64() >= 20);
        IReadOnlyList<TaskView> before = await AppView.AskAsync(app, view => view.Tasks.ToList());
        Assert.True((await node.Node.Node.ReplaceAsync(Version(2, 60_000)).WaitAsync(Versions.Long)).Replaced);
        Readings page = await Readings.OfAsync(node.Client);
        Assert.InRange(page[$"cocaine_ticks_total{{{App},task=\"tick\"}}"], before[0].Counts.Ticks, double.MaxValue);
        Assert.InRange(page[$"cocaine_job_service_seconds_count{{{App},task=\"tick\"}}"], before[0].OnSlave.Count, double.MaxValue);
        Directory.Delete(folder, recursive: true);

        AppManifest Version(int version, long intervalMs) => Versions.Python(version, file: "ticking.py", env: ("TICKING", folder)).With(
            new TaskManifest { Name = "tick", DriverType = "recurring-timer", Keys = new Dictionary<string, object> { ["interval"] = intervalMs } });
    }

    [Fact]
    public void The_times_of_a_process_are_read_whatever_its_name()
    {
        const string Rest = " S 1 1 1 0 -1 4194560 1 2 3 4 250 50 7 8 20 0 1 0 4711 10000000 300 18446744073709551615 1 1 0 0";
        foreach (string name in (string[])["a", "a) S 9 (b", ")) )", ""])
        {
            ProcessTimes? read = ProcessTimes.Parse(Utf8.Of($"123 ({name}){Rest}"));
            Assert.Equal(new ProcessTimes(4711, 3, 300L * Environment.SystemPageSize), read);
        }

        Assert.Null(ProcessTimes.Parse(Utf8.Of("123 (a) S 1 1 1 0")));
        Assert.Null(ProcessTimes.Parse(Utf8.Of("")));
        Assert.Null(ProcessTimes.Read("/proc/0/stat"));
        Assert.InRange(ProcessTimes.Read("/proc/self/stat")!.Value.CpuSeconds, 0.01, 1e6);
    }
}
