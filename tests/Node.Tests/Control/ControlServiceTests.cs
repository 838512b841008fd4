using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Node.Tests.Control;

public class ControlServiceTests
{
    [Fact]
    public async Task An_app_is_created_listed_replaced_asked_about_and_deleted()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Assert.Empty(await node.Client.ListAsync());
        AppSummary created = await node.Client.CreateAsync(node.Text(1));
        Assert.Equal(("app", 1, 1), (created.App, created.Version, created.Endpoints.Count));
        await node.Node.Node.Find("app")!.Ready.WaitAsync(Versions.Long);
        await using CocaineClient client = await CocaineClient.ConnectAsync(created.Endpoints[0]);
        Assert.Equal("1", await client.TextAsync("version"));

        ReplaceOutcome outcome = await node.Client.ReplaceAsync(node.Text(2));
        Assert.Equal(("app", 1, 2, true, null), (outcome.App, outcome.FromVersion, outcome.ToVersion, outcome.Replaced, outcome.Reason));
        Assert.Equal("2", await client.TextAsync("version"));
        ReplaceOutcome broken = await node.Client.ReplaceAsync(node.Text(3, "broken.py"));
        Assert.False(broken.Replaced);
        Assert.Contains("No module named", broken.Reason);
        Assert.Equal((400, "app app runs version 2, and 1 is not higher: raise 'version' in the manifest, or force the replacement"),
            await RefusedAsync(() => node.Client.ReplaceAsync(node.Text(1))));
        Assert.True((await node.Client.ReplaceAsync(node.Text(1), force: true)).Replaced);

        AppSummary listed = Assert.Single(await node.Client.ListAsync());
        Assert.Equal(("app", 1, "running", 2L, 0L), (listed.App, listed.Version, listed.State, listed.Done, listed.Failed));
        using (JsonDocument info = JsonDocument.Parse(await node.Client.InfoJsonAsync("app")))
        {
            Assert.Equal(1, info.RootElement.GetProperty("version").GetInt32());
        }

        using (JsonDocument info = JsonDocument.Parse(await node.Client.InfoJsonAsync(null)))
        {
            Assert.Equal((Environment.ProcessId, 1), (info.RootElement.GetProperty("pid").GetInt32(), info.RootElement.GetProperty("apps").GetInt32()));
        }

        await node.Client.DeleteAsync("app", Versions.Long).WaitAsync(Versions.Long);
        Assert.Empty(await node.Client.ListAsync());
        Assert.Equal((404, "no app app runs here"), await RefusedAsync(() => node.Client.InfoJsonAsync("app")));
        string again = created.Endpoints[0]; // its port is free
        ManifestText same = node.Text(1) with { Utf8 = Utf8.Of(System.Text.Encoding.UTF8.GetString(node.Text(1).Utf8.Span).Replace("tcp://127.0.0.1:0", again)) };
        Assert.Equal([again], (await node.Client.CreateAsync(same)).Endpoints);
    }

    [Fact]
    public async Task All_mistakes_of_a_manifest_come_back_and_an_app_is_created_once()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        (int code, string text) = await RefusedAsync(() => node.Client.CreateAsync(node.Text(1, more: ", \"colour\": 1, \"pubsub\": 3")));
        Assert.Equal(400, code);
        Assert.Contains($"{node.Folder}/app.json:4:", text);
        Assert.Contains("unknown key 'colour'", text);
        Assert.Contains("$.pubsub", text);
        await node.Client.CreateAsync(node.Text(1));
        Assert.Equal((400, "app app runs already: replace it, or delete it first"), await RefusedAsync(() => node.Client.CreateAsync(node.Text(2))));
    }

    [Fact]
    public async Task A_paused_app_refuses_and_finishes_and_goes_on_when_it_is_resumed()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        AppSummary app = await node.Client.CreateAsync(node.Text(1));
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0]);
        string gate = Versions.Gate();
        Task<string> held = client.TextAsync("hold", gate);
        await node.Node.Node.Find("app")!.UntilInfoShowsAsync("\"running\":1");
        await node.Client.PauseAsync("app");
        Assert.Equal("paused", Assert.Single(await node.Client.ListAsync()).State);
        Assert.Equal((503, "the app is paused: it takes no new jobs until it is resumed"), await RefusedAsync(() => client.TextAsync("version")));
        Assert.True((await node.Client.ReplaceAsync(node.Text(2))).Replaced); // it stays paused
        Assert.Equal(503, (await RefusedAsync(() => client.TextAsync("version"))).Code);
        File.WriteAllText(gate, "");
        Assert.Equal("held by 1", await held);
        await node.Client.ResumeAsync("app");
        Assert.Equal("2", await client.TextAsync("version"));
        File.Delete(gate);
    }

    [Fact]
    public async Task A_pool_is_scaled_at_once_and_never_within_a_job()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        AppSummary created = await node.Client.CreateAsync(node.Text(1));
        RunningApp app = node.Node.Node.Find("app")!;
        await node.Client.ScaleAsync("app", 3, null);
        await app.UntilInfoShowsAsync("\"idle\":3");
        await using CocaineClient client = await CocaineClient.ConnectAsync(created.Endpoints[0]);
        string gate = Versions.Gate();
        Task<string>[] held = [.. Enumerable.Range(0, 3).Select(_ => client.TextAsync("hold", gate))];
        await app.UntilInfoShowsAsync("\"busy\":3");
        await node.Client.ScaleAsync("app", 0, 1);
        Assert.Equal(3, Assert.Single(await node.Client.ListAsync()).Slaves);
        File.WriteAllText(gate, "");
        Assert.All(await Task.WhenAll(held), answer => Assert.Equal("held by 1", answer));
        await app.UntilInfoShowsAsync("\"total\":1");
        Assert.Equal("1", await client.TextAsync("version"));
        Assert.Equal(400, (await RefusedAsync(() => node.Client.ScaleAsync("app", 5, 2))).Code);
        Assert.Equal(400, (await RefusedAsync(() => node.Client.ScaleAsync("app", null, 0))).Code);
        File.Delete(gate);
    }

    [Fact]
    public async Task A_delete_whose_time_is_up_fails_the_rest_and_is_done()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        AppSummary created = await node.Client.CreateAsync(node.Text(1));
        await using CocaineClient client = await CocaineClient.ConnectAsync(created.Endpoints[0]);
        Task<string> held = client.TextAsync("hold", Versions.Gate());
        await node.Node.Node.Find("app")!.UntilInfoShowsAsync("\"running\":1");
        await node.Client.DeleteAsync("app", TimeSpan.FromMilliseconds(200)).WaitAsync(Versions.Long);
        Assert.Equal((503, "the app is deleted"), await RefusedAsync(() => held));
        Assert.Empty(await node.Client.ListAsync());
    }

    [Fact]
    public async Task Logs_begin_with_what_was_written_and_follow_until_the_app_is_gone()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        AppSummary created = await node.Client.CreateAsync(node.Text(1));
        await using CocaineClient client = await CocaineClient.ConnectAsync(created.Endpoints[0]);
        await client.TextAsync("say", "first");
        List<string> seen = [];
        await foreach (LogLine line in node.Client.LogsAsync("app", follow: true))
        {
            seen.Add(line.Text);
            Assert.Equal(("app", false, 8, 0L), (line.App, line.IsError, line.Slave.Length, line.Lost));
            if (seen.Count == 1)
            {
                Assert.True((await node.Client.ReplaceAsync(node.Text(2))).Replaced); // the log is the app's, not the version's
                await client.TextAsync("say", "second");
            }
            else
            {
                await node.Client.DeleteAsync("app", Versions.Long);
            }
        }

        Assert.Equal(["first", "second"], seen);
        Assert.Equal(404, (await RefusedAsync(async () => await node.Client.LogsAsync("app").GetAsyncEnumerator().MoveNextAsync())).Code);
    }

    [Fact]
    public async Task Events_tell_what_the_engine_decided_also_after_the_app_is_gone()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await node.Client.CreateAsync(node.Text(1));
        await node.Node.Node.Find("app")!.Ready.WaitAsync(Versions.Long);
        await node.Client.ReplaceAsync(node.Text(2));
        await node.Client.DeleteAsync("app", Versions.Long);
        List<NodeEvent> events = [];
        await foreach (NodeEvent one in node.Client.EventsAsync("app"))
        {
            events.Add(one);
        }

        Assert.Equal(["started", "grows", "ready", "begins", "replaced", "stops", "deleted"],
            events.Select(one => one.Kind).Where(kind => kind is not ("ended" or "asked" or "drained")).Distinct());
        Assert.Contains(events, one => one.Kind == "drained"); // before or after the stop
        NodeEvent replaced = events.Single(one => one.Kind == "replaced");
        Assert.Equal((511, "information", "1", "2"), (replaced.Number, replaced.Level, replaced.Fields["version"], replaced.Fields["next"]));
        Assert.StartsWith("app: version 2 takes new jobs", replaced.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Others_than_root_and_the_owner_are_turned_away_whatever_the_mode_of_the_socket()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        string path = node.Endpoint["ipc://".Length..];
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        if (!Environment.IsPrivilegedProcess)
        {
            return; // only root can be somebody else
        }

        File.SetUnixFileMode(path, (UnixFileMode)0x1b6); // 0666, and the way to it
        File.SetUnixFileMode(Path.GetDirectoryName(path)!, (UnixFileMode)0x1ed);
        File.SetUnixFileMode(node.Folder, (UnixFileMode)0x1ed);
        using Process other = Process.Start(new ProcessStartInfo("setpriv", ["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c",
            $"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{path}'); s.sendall(b'x'); print(len(s.recv(9)))"])
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string answer = await other.StandardOutput.ReadToEndAsync().WaitAsync(Versions.Long), trouble = await other.StandardError.ReadToEndAsync();
        Assert.True(answer.Trim() == "0" || trouble.Contains("BrokenPipe") || trouble.Contains("ConnectionReset"), answer + trouble);
        Assert.Contains("of user 65534 was refused", node.Node.Log);
        Assert.Empty(await node.Client.ListAsync());
    }

    private static async Task<(int Code, string Text)> RefusedAsync(Func<Task> call)
    {
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => call().WaitAsync(Versions.Long));
        return (refused.Code, refused.Message);
    }
}
