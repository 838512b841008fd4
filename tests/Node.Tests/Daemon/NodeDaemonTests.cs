using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>A daemon with real workers: what is there after a restart, what a reload of its config does.</summary>
public sealed class NodeDaemonTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Created_apps_are_there_again_and_deleted_ones_are_not()
    {
        await using (TestDaemon first = await TestDaemon.StartAsync(_folder))
        {
            await first.CreateAsync(_folder.Manifest("a"));
            await first.CreateAsync(_folder.Manifest("b"));
            await first.CreateAsync(_folder.Manifest("c"));
            ReplaceOutcome outcome = await first.ReplaceAsync(_folder.Manifest("b", version: 2));
            Assert.True(outcome.Replaced, outcome.Reason);
            await first.DeleteAsync("c");
            Assert.Equal(["a 0", "b 2"], first.Running);
        }

        File.Delete(_folder["a.json"]); // what was given is kept, not where it was
        await using TestDaemon second = await TestDaemon.StartAsync(_folder);
        Assert.Equal(["a 0", "b 2"], second.Running);
        await using CocaineClient client = await CocaineClient.ConnectAsync(second.Daemon.Node.Find("a")!.Endpoints[0].Endpoint);
        Assert.Equal("x", System.Text.Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
    }

    [Fact]
    public async Task An_app_that_cannot_be_started_is_listed_and_the_others_come_up()
    {
        string moved = _folder.Write("code.py", File.ReadAllText(Path.Combine(Repository.Root, "examples/echo/echo.py")));
        await using (TestDaemon first = await TestDaemon.StartAsync(_folder))
        {
            await first.CreateAsync(_folder.Manifest("good"));
            await first.CreateAsync(_folder.Write("gone.json", File.ReadAllText(_folder.Manifest("x")).Replace($"{Repository.Root}/examples/echo/echo.py", moved)));
            await first.CreateAsync(_folder.Manifest("damaged"));
        }

        File.Delete(moved);
        File.AppendAllText(_folder["state/apps/damaged.json"], "x");
        await using TestDaemon second = await TestDaemon.StartAsync(_folder);
        Assert.Equal(["good 0"], second.Running);
        IReadOnlyList<AppSummary> failed = second.Daemon.Failed;
        Assert.Equal(["damaged failed", "gone failed"], failed.Select(app => $"{app.App} {app.State}"));
        Assert.Contains("damaged.json is broken", failed[0].Reason);
        Assert.Contains($"there is no file {moved}", failed[1].Reason);
        Assert.Contains("Error app damaged is skipped: ", second.Log);
        Assert.Equal("1 apps run, 2 failed", second.Daemon.Status);

        await second.DeleteAsync("damaged");
        await second.CreateAsync(_folder.Manifest("gone"));
        Assert.Empty(second.Daemon.Failed);
        Assert.Equal(["gone.json", "good.json"], Directory.GetFiles(_folder["state/apps"]).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task A_file_that_was_copied_under_another_name_starts_no_app_of_the_first_name()
    {
        await using (TestDaemon first = await TestDaemon.StartAsync(_folder))
        {
            await first.CreateAsync(_folder.Manifest("echo"));
        }

        string own = _folder["state/apps/echo.json"], copy = _folder["state/apps/before.json"];
        File.Copy(own, copy); // its name is first in order
        string reason = $"{copy} is broken: it holds app echo: it was copied or renamed; create the app anew, or delete it";
        await using (TestDaemon second = await TestDaemon.StartAsync(_folder))
        {
            Assert.Equal(["echo 0"], second.Running);
            Assert.Equal([("before", "failed", reason)], second.Daemon.Failed.Select(app => (app.App, app.State, app.Reason!)));
            await second.DeleteAsync("echo");
        }

        await using TestDaemon third = await TestDaemon.StartAsync(_folder);
        Assert.Empty(third.Running);
        Assert.Equal(reason, Assert.Single(third.Daemon.Failed).Reason);
        await third.CreateAsync(_folder.Manifest("before"));
        Assert.Equal(["before 0"], third.Running);
        Assert.Empty(third.Daemon.Failed);
    }

    [Fact]
    public async Task What_did_not_come_up_is_not_kept()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await daemon.CreateAsync(_folder.Manifest("a"));
        string broken = _folder.Write("a.json", File.ReadAllText(_folder.Manifest("a", 1)).Replace("examples/echo/echo.py", "tests/apps/versioned.json.none"));
        await Assert.ThrowsAsync<ManifestException>(() => daemon.ReplaceAsync(broken));
        await Assert.ThrowsAsync<NodeException>(() => daemon.ReplaceAsync(_folder.Manifest("a", 0)));
        await Assert.ThrowsAsync<NodeException>(() => daemon.CreateAsync(_folder.Manifest("a", 5)));
        await Assert.ThrowsAsync<NodeException>(() => daemon.DeleteAsync("nothing"));
        await daemon.DisposeAsync();
        Assert.Equal([_folder["state/apps/a.json"]], Directory.GetFiles(_folder["state/apps"]));
        await using TestDaemon again = await TestDaemon.StartAsync(_folder);
        Assert.Equal(["a 0"], again.Running);
    }

    [Fact]
    public async Task A_reload_applies_the_difference()
    {
        string a = _folder.Manifest("a", 1), b = _folder.Manifest("b", 1), c = _folder.Manifest("c", 1);
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, $"\"apps\": [\"{a}\", \"{b}\"]");
        await daemon.CreateAsync(_folder.Manifest("kept", 1));
        Assert.Equal(["a 1", "b 1", "kept 1"], daemon.Running);

        _folder.Manifest("a", 2);
        await ReloadAsync(daemon, $"\"apps\": [\"{a}\", \"{c}\"]");
        Assert.Equal(["a 2", "c 1", "kept 1"], daemon.Running);
        Assert.Contains("1 came, 1 changed, 1 went, 0 failed", daemon.Log);

        _folder.Write("a.json", "{");
        await ReloadAsync(daemon, $"\"apps\": [\"{a}\", \"{c}\"]");
        Assert.Equal(["a 2", "c 1", "kept 1"], daemon.Running); // a mistake in its file ends no app
        Assert.Contains("app a goes on as it was: ", daemon.Log);

        NodeException refusal = await Assert.ThrowsAsync<NodeException>(() => daemon.DeleteAsync("c"));
        Assert.Equal(
            $"app c is in the node's config: change {c} or the config, and send SIGHUP; for new code alone, 'app restart c'", refusal.Message);
        await ReloadAsync(daemon, "\"apps\": []");
        Assert.Equal(["kept 1"], daemon.Running);
    }

    [Fact]
    public async Task A_reload_applies_defaults_of_the_engine_and_says_what_takes_a_restart()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, "\"engine\": { \"queue-limit\": 7 }");
        await daemon.CreateAsync(_folder.Manifest("leaves"));
        await daemon.CreateAsync(_folder.Manifest("says", engine: "\"pool-limit\": 1, \"queue-limit\": 5"));
        int LimitOf(string name) => daemon.Daemon.Node.Find(name)!.Manifest.Engine.QueueLimit;
        Assert.Equal((7, 5), (LimitOf("leaves"), LimitOf("says")));
        await ReloadAsync(daemon, "\"engine\": { \"queue-limit\": 9 }, \"log\": { \"format\": \"json\" }");
        Assert.Equal((9, 5), (LimitOf("leaves"), LimitOf("says")));
        Assert.Contains("0 came, 1 changed, 0 went, 0 failed", daemon.Log);
        Assert.Contains("the key log.format of the config has changed; that takes a restart", daemon.Log);
    }

    [Fact]
    public async Task Deleting_an_app_gives_up_its_replacement()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await daemon.CreateAsync(_folder.Manifest("a", 1));
        File.SetUnixFileMode(_folder.Write("stuck.sh", "#!/bin/sh\nexec sleep 60\n"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string stuck = _folder.Write("a.json", """
            { "type": "binary", "args": "stuck.sh", "version": 2, "engine": { "startup-timeout": "1m" },
              "tasks": { "echo": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        Task<ReplaceOutcome> replacing = daemon.ReplaceAsync(stuck);
        await daemon.UntilLogAsync("version 2 comes up beside version 1");
        await daemon.DeleteAsync("a").WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False((await replacing).Replaced);
        Assert.Empty(daemon.Running);
        Assert.Empty(Directory.GetFiles(_folder["state/apps"]));
    }

    [Fact]
    public async Task The_commands_of_its_socket_reach_it()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await using NodeControlClient client = await NodeControlClient.ConnectAsync($"ipc://{_folder["control.sock"]}");
        string file = _folder.Manifest("a");
        Assert.Equal("a", (await client.CreateAsync(new ManifestText(File.ReadAllBytes(file), file))).App);
        Assert.Equal("running", Assert.Single(await client.ListAsync()).State);
        await client.DeleteAsync("a", TimeSpan.FromSeconds(10));
        Assert.Empty(Directory.GetFiles(_folder["state/apps"]));
    }

    /// <summary>As often as it goes, and by nobody's signal.</summary>
    [Fact]
    public async Task A_control_socket_that_a_cleaner_removed_is_made_again_by_itself()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder, controlCheckMs: 50);
        for (int i = 0; i < 3; i++)
        {
            daemon.ForgetLog();
            File.Delete(_folder["control.sock"]);
            await daemon.UntilLogAsync("was removed by somebody, and is made again");
            await using NodeControlClient client = await NodeControlClient.ConnectAsync($"ipc://{_folder["control.sock"]}");
            Assert.Empty(await client.ListAsync());
        }
    }

    private Task ReloadAsync(TestDaemon daemon, string more) => daemon.Daemon.ReloadAsync(TestDaemon.Config(_folder, more));
}
