using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>An app that was paused is paused after a restart: it was paused because it does harm.</summary>
public sealed class PausedAppsTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Killed_and_started_again_it_is_paused_until_it_is_resumed_and_that_stays_too()
    {
        string named = _folder.Manifest("named");
        string config = $"\"apps\": [\"{named}\"]";
        using (ServeProcess first = await ServeProcess.StartAsync(_folder, config))
        {
            await using NodeControlClient node = await first.ConnectAsync();
            foreach (string name in (string[])["a", "b", "c"])
            {
                await node.CreateAsync(Text(_folder.Manifest(name)));
            }

            foreach (string name in (string[])["a", "b", "named"])
            {
                Assert.Equal((0, $"paused app={name}\n", ""), await first.RunAsync("app", "pause", name));
            }

            await node.PauseAsync("a"); // twice is once
            await KillAsync(first);
        }

        using (ServeProcess second = await ServeProcess.StartAsync(_folder, config))
        {
            Assert.Equal(["a paused", "b paused", "c running", "named paused"], await StatesAsync(second));
            Assert.Contains("app a comes up paused, as it was left", second.Log);
            (_, string info, _) = await second.RunAsync("app", "info", "a", "--json");
            Assert.Contains("\"paused\": true", info);
            Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => CallAsync(second, "a"))).Code);
            Assert.Equal("x", await CallAsync(second, "c"));
            await using NodeControlClient node = await second.ConnectAsync();
            ReplaceOutcome outcome = await node.ReplaceAsync(Text(_folder.Manifest("a", version: 2)));
            Assert.True(outcome.Replaced, outcome.Reason);
            await node.ResumeAsync("b");
            await KillAsync(second);
        }

        using ServeProcess third = await ServeProcess.StartAsync(_folder, config);
        Assert.Equal(["a paused", "b running", "c running", "named paused"], await StatesAsync(third));
        Assert.Equal("x", await CallAsync(third, "b"));
        Assert.Equal((0, "resumed app=a\n", ""), await third.RunAsync("app", "resume", "a"));
        Assert.Equal("x", await CallAsync(third, "a"));
        Assert.Equal([_folder["state/apps/named.paused"]], Directory.GetFiles(_folder["state/apps"], "*.paused"));
    }

    [Fact]
    public async Task A_pause_goes_with_its_app_and_does_not_come_back_with_the_name()
    {
        string named = _folder.Manifest("named");
        await using (TestDaemon daemon = await TestDaemon.StartAsync(_folder, $"\"apps\": [\"{named}\"]"))
        {
            await daemon.CreateAsync(_folder.Manifest("a"));
            await daemon.Daemon.PauseAsync("a", CancellationToken.None);
            await daemon.Daemon.PauseAsync("named", CancellationToken.None);
            await daemon.DeleteAsync("a");
            await daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, "")); // the config lets go of the other
            Assert.Empty(daemon.Running);
            Assert.Empty(Directory.GetFiles(_folder["state/apps"]));
            NodeException unknown = await Assert.ThrowsAsync<NodeException>(() => daemon.Daemon.PauseAsync("a", CancellationToken.None));
            Assert.Equal((404, "no app a runs here"), (unknown.Code, unknown.Message));
            await daemon.CreateAsync(_folder.Manifest("a"));
        }

        await using TestDaemon next = await TestDaemon.StartAsync(_folder);
        Assert.Equal("running", (await next.Daemon.Node.Find("a")!.SummaryAsync()).State);
    }

    [Fact]
    public async Task Damaged_state_is_reported_and_no_app_stays_away_for_it()
    {
        await using (TestDaemon daemon = await TestDaemon.StartAsync(_folder))
        {
            foreach (string name in (string[])["cut", "folder", "broken"])
            {
                await daemon.CreateAsync(_folder.Manifest(name));
                await daemon.Daemon.PauseAsync(name, CancellationToken.None);
            }
        }

        File.WriteAllBytes(_folder["state/apps/cut.paused"], [0, 255]);
        File.Delete(_folder["state/apps/folder.paused"]);
        Directory.CreateDirectory(_folder["state/apps/folder.paused"]);
        _folder.Write("state/apps/nobody.paused", "");
        _folder.Write("state/apps/.cut.paused.1.tmp", "");
        _folder.Write("state/apps/broken.json", "{");
        await using TestDaemon next = await TestDaemon.StartAsync(_folder);
        Assert.Equal(["cut 0", "folder 0"], next.Running);
        Assert.Equal("paused", (await next.Daemon.Node.Find("cut")!.SummaryAsync()).State); // whatever is in it: somebody paused the app
        Assert.Equal("running", (await next.Daemon.Node.Find("folder")!.SummaryAsync()).State);
        Assert.Contains($"{_folder["state/apps/folder.paused"]} pauses nothing: it is no file, so the app is not paused", next.Log);
        Assert.Contains($"{_folder["state/apps/nobody.paused"]} pauses nothing: no app nobody is here", next.Log);
        Assert.False(File.Exists(_folder["state/apps/.cut.paused.1.tmp"]));
        await next.Daemon.ResumeAsync("cut", CancellationToken.None);
        Assert.False(File.Exists(_folder["state/apps/cut.paused"]));

        // A pause that cannot be kept is one all the same, and whoever asked is told.
        NodeException lost = await Assert.ThrowsAsync<NodeException>(() => next.Daemon.PauseAsync("folder", CancellationToken.None));
        Assert.StartsWith("app folder is paused, but that cannot be kept: after a restart it takes jobs: ", lost.Message);
        Assert.Equal("paused", (await next.Daemon.Node.Find("folder")!.SummaryAsync()).State);

        // Its file is damaged, its pause is not: made anew it is another app.
        await next.CreateAsync(_folder.Manifest("broken"));
        Assert.Equal("running", (await next.Daemon.Node.Find("broken")!.SummaryAsync()).State);
        Assert.False(File.Exists(_folder["state/apps/broken.paused"]));
    }

    [Fact]
    public async Task A_timer_that_is_paused_ticks_not_even_once_after_a_restart()
    {
        string ticked = _folder["ticked"];
        string code = _folder.Write("tick.py", $"def tick():\n    open({Quoted(ticked)}, 'a').write('x')\n");
        string manifest = _folder.Write("tick.json", $$"""
            { "type": "python", "args": "local://{{code}}", "engine": { "pool-limit": 1 },
              "tasks": { "tick": { "type": "recurring-timer", "interval": 20 } } }
            """);
        await using (TestDaemon first = await TestDaemon.StartAsync(_folder))
        {
            await first.CreateAsync(manifest);
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
            while (!File.Exists(ticked))
            {
                await Task.Delay(5, limit.Token);
            }

            await first.Daemon.PauseAsync("tick", CancellationToken.None);
        }

        File.Delete(ticked);
        await using TestDaemon second = await TestDaemon.StartAsync(_folder);
        RunningApp app = second.Daemon.Node.Find("tick")!;
        await app.Ready.WaitAsync(TimeSpan.FromSeconds(30));
        await app.UntilAsync(info => info.GetProperty("tasks").GetProperty("tick").GetProperty("dropped").GetInt64() >= 5);
        Assert.False(File.Exists(ticked));
        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task Bounds_of_a_pool_hold_until_the_next_start()
    {
        await using (TestDaemon first = await TestDaemon.StartAsync(_folder))
        {
            RunningApp app = await first.CreateAsync(_folder.Manifest("a"));
            await first.Daemon.Node.ScaleAsync("a", 1, 3);
            await app.UntilInfoShowsAsync("\"pool\":{\"limit\":3,\"minimum\":1");
        }

        await using TestDaemon second = await TestDaemon.StartAsync(_folder);
        Assert.Contains("\"pool\":{\"limit\":1,\"minimum\":0", await second.Daemon.Node.Find("a")!.InfoJsonAsync());
    }

    private static string Quoted(string path) => $"'{path}'";

    private static ManifestText Text(string file) => new(File.ReadAllBytes(file), file);

    private static async Task KillAsync(ServeProcess serve)
    {
        serve.Signal("KILL");
        Assert.Equal(137, await serve.ExitAsync()); // 128 + SIGKILL
    }

    private static async Task<string[]> StatesAsync(ServeProcess serve)
    {
        await using NodeControlClient node = await serve.ConnectAsync();
        return [.. (await node.ListAsync()).Select(app => $"{app.App} {app.State}")];
    }

    private static async Task<string> CallAsync(ServeProcess serve, string app)
    {
        await using NodeControlClient node = await serve.ConnectAsync();
        AppSummary summary = (await node.ListAsync()).Single(one => one.App == app);
        await using CocaineClient client = await CocaineClient.ConnectAsync(summary.Endpoints[0]);
        return System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x")));
    }
}
