using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Node.Tests.Reload;

public class ReloadTests
{
    [Fact]
    public async Task A_job_under_way_ends_on_its_version_while_the_same_connection_gets_the_new_one()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, new EngineSettings { PoolLimit = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string gate = Versions.Gate();
        Task<string> held = client.TextAsync("hold", gate), queued = client.TextAsync("version");
        await using ClientCall streamed = client.Open("echo"); // its request is not whole at the switch
        await streamed.WriteAsync(Utf8.Of("begun, "));
        await app.UntilInfoShowsAsync("\"accepted\":3");
        ReplaceOutcome outcome = await node.Node.ReplaceAsync(Versions.Python(2, new EngineSettings { PoolLimit = 1 }));
        Assert.True(outcome.Replaced, outcome.Reason);
        Assert.Equal("2", await client.TextAsync("version"));
        Assert.False(outcome.Drained.IsCompleted);
        JsonElement older = Assert.Single((await app.InfoAsync()).GetProperty("older").EnumerateArray());
        Assert.Equal((1, 1, 2), (older.GetProperty("version").GetInt32(), older.GetProperty("running").GetInt32(),
            older.GetProperty("queued").GetInt32()));
        await streamed.WriteAsync(Utf8.Of("ended"));
        await streamed.CompleteAsync();
        File.WriteAllText(gate, "");
        Assert.Equal("held by 1", await held);
        Assert.Equal("1", await queued);
        string answer = "";
        await foreach (ReadOnlyMemory<byte> chunk in streamed.ReadAllAsync())
        {
            answer += System.Text.Encoding.UTF8.GetString(chunk.Span);
        }

        Assert.Equal("begun, ended", answer);
        await outcome.Drained.WaitAsync(Versions.Long);
        File.Delete(gate);
    }

    [Fact]
    public async Task A_version_that_does_not_start_is_given_up_with_its_reason_and_the_old_one_goes_on()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        CheckedLoad load = new(app.Endpoints[0].Endpoint, 2, 2);
        await load.ForAsync(20);
        ReplaceOutcome outcome = await node.Node.ReplaceAsync(Versions.Python(2, file: "broken.py")).WaitAsync(Versions.Long);
        await load.ForAsync(20);
        Assert.Empty(await load.StopAsync());
        Assert.False(outcome.Replaced);
        Assert.Contains("No module named 'no_such_module_anywhere'", outcome.Reason);
        Assert.Contains("version 2 did not come up, version 1 goes on", node.Log);
        Assert.Equal(1, app.Manifest.Version);
        Assert.True((await node.Node.ReplaceAsync(Versions.Python(2)).WaitAsync(Versions.Long)).Replaced); // and it can be tried again
    }

    [Fact]
    public async Task A_task_that_cannot_open_gives_the_version_up_and_nothing_of_it_stays()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1).With(Versions.Server(backlog: 10)));
        string endpoint = app.Endpoints[0].Endpoint;
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        TaskManifest impossible = Versions.Server("extra") with { Endpoints = [$"tcp://127.0.0.1:{((IPEndPoint)taken.LocalEndpoint).Port}"] };
        AppManifest next = Versions.Python(2).With(Versions.Server(backlog: 20), impossible);
        ReplaceOutcome outcome = await node.Node.ReplaceAsync(next).WaitAsync(Versions.Long);
        Assert.False(outcome.Replaced);
        Assert.Contains("task extra: cannot listen on", outcome.Reason);
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint); // the listener that was claimed is still the old one's
        Assert.Equal("1", await client.TextAsync("version"));
        taken.Stop();
        Assert.True((await node.Node.ReplaceAsync(next).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("2", await client.TextAsync("version"));
    }

    [Fact]
    public async Task New_tasks_open_and_tasks_that_are_gone_close_when_their_jobs_are_done()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1).With(Versions.Server(), Versions.Server("hold")));
        await using CocaineClient going = await CocaineClient.ConnectAsync(app.Endpoints[1].Endpoint);
        string gate = Versions.Gate();
        Task<string> held = going.TextAsync("hold", gate);
        await app.UntilInfoShowsAsync("\"running\":1");
        AppManifest next = Versions.Python(2).With(Versions.Server(), Versions.Server("extra"));
        ReplaceOutcome outcome = await node.Node.ReplaceAsync(next).WaitAsync(Versions.Long);
        Assert.True(outcome.Replaced, outcome.Reason);
        Assert.Equal(["event", "extra"], app.Endpoints.Select(at => at.Task));
        await using CocaineClient extra = await CocaineClient.ConnectAsync(app.Endpoints[1].Endpoint);
        Assert.Equal("extra yes", await extra.TextAsync("extra", "yes"));
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => going.TextAsync("hold", gate))).Code); // it takes nothing new
        File.WriteAllText(gate, "");
        Assert.Equal("held by 1", await held);
        await outcome.Drained.WaitAsync(Versions.Long);
        await Assert.ThrowsAsync<ConnectionLostException>(() => going.TextAsync("version"));
        File.Delete(gate);
    }

    [Fact]
    public async Task A_version_that_is_not_higher_is_refused_unless_forced()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(3));
        foreach (int version in (int[])[2, 3])
        {
            NodeException refused = await Assert.ThrowsAsync<NodeException>(() => node.Node.ReplaceAsync(Versions.Python(version)));
            Assert.Equal((400, $"app app runs version 3, and {version} is not higher: raise 'version' in the manifest, or force the replacement"),
                (refused.Code, refused.Message));
        }

        Assert.True((await node.Node.ReplaceAsync(Versions.Python(2), force: true).WaitAsync(Versions.Long)).Replaced);
        Assert.Equal(2, app.Manifest.Version);
        Assert.Equal(404, (await Assert.ThrowsAsync<NodeException>(() =>
            node.Node.ReplaceAsync(Versions.Python(9) with { Name = "other" }))).Code);
    }

    [Fact]
    public async Task While_one_replacement_goes_on_another_is_refused_and_it_can_be_cancelled()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        using CancellationTokenSource cancel = new();
        Task<ReplaceOutcome> slow = node.Node.ReplaceAsync(Versions.Python(2, env: ("IMPORT_WAITS_FOR", Versions.Gate())), false, cancel.Token);
        await app.UntilInfoShowsAsync("\"state\":\"replacing\"");
        NodeException refused = await Assert.ThrowsAsync<NodeException>(() => node.Node.ReplaceAsync(Versions.Python(3)));
        Assert.Equal((503, "app app is being replaced by version 2 already: wait until that is decided"), (refused.Code, refused.Message));
        await cancel.CancelAsync();
        ReplaceOutcome outcome = await slow.WaitAsync(Versions.Long);
        Assert.Equal((false, "it was cancelled"), (outcome.Replaced, outcome.Reason));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("1", await client.TextAsync("version"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_delete_or_a_stop_gives_up_a_replacement_that_goes_on(bool delete)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        Task<ReplaceOutcome> slow = node.Node.ReplaceAsync(Versions.Python(2, env: ("IMPORT_WAITS_FOR", Versions.Gate())));
        await app.UntilInfoShowsAsync("\"state\":\"replacing\"");
        Task end = delete ? node.Node.DeleteAsync("app", Versions.Long) : node.Node.StopAsync(Versions.Long);
        ReplaceOutcome outcome = await slow.WaitAsync(Versions.Long);
        Assert.Equal((false, "the app stops"), (outcome.Replaced, outcome.Reason));
        await end.WaitAsync(Versions.Long);
    }

    [Fact]
    public async Task Timers_go_on_through_reloads_without_a_lost_or_a_doubled_tick()
    {
        string folder = Directory.CreateTempSubdirectory("ticking-").FullName;
        TestNode node = TestNode.Start();
        AppManifest Manifest(int version) => Versions.Python(version, file: "ticking.py", env: ("TICKING", folder)).With(
            new TaskManifest { Name = "tick", DriverType = "recurring-timer", Keys = new Dictionary<string, object> { ["interval"] = 10L } });
        RunningApp app = await node.AddAsync(Manifest(1));
        long start = Start(app);
        for (int version = 2; version <= 5; version++)
        {
            long before = await TicksAsync(app);
            while (await TicksAsync(app) < before + 10)
            {
                await Task.Yield();
            }

            Assert.True((await node.Node.ReplaceAsync(Manifest(version)).WaitAsync(Versions.Long)).Replaced);
        }

        // On the loop: every tick whose time has passed has come, by the clock of the first version.
        (long passed, long ticks) = (0, 0);
        await app.Loop.RunAsync(() => passed = (app.Loop.NowMs - start) / 10);
        await app.Loop.RunAsync(() => ticks = (long)app.Drivers[0].Facts["ticks"]);
        Assert.Equal(start, Start(app));
        Assert.InRange(ticks, passed, long.MaxValue);
        await node.Node.StopAsync(Versions.Long);
        ulong done = app.Engine.Counters.JobsDone;
        Assert.Equal(((ulong)(long)app.Drivers[0].Facts["ticks"], 0ul, 0ul), (done, app.Engine.Counters.JobsRejected, app.Engine.Counters.JobsFailed));
        Assert.Equal((int)done, File.ReadAllLines(Path.Combine(folder, "tick")).Length);
        Directory.Delete(folder, recursive: true);

        static long Start(RunningApp app) => ((Drivers.Timers.RecurringTimerDriver)app.Drivers[0]).StartMs;
        static async Task<long> TicksAsync(RunningApp app) =>
            (await app.InfoAsync()).GetProperty("tasks").GetProperty("tick").GetProperty("ticks").GetInt64();
    }
}
