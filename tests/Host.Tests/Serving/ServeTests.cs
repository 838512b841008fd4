using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace Cocaine.Fast.Host.Tests.Serving;

/// <summary>The daemon and its commands as users start them.</summary>
[Collection(nameof(Alone))]
public sealed class ServeTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_commands_do_what_they_say()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string echo = Path.Combine(Repository.Root, "examples/echo/manifest.json");
        (int code, string output, string error) = await serve.RunAsync("app", "create", echo);
        Assert.Equal((0, ""), (code, error));
        Assert.StartsWith("created app=echo version=0\ncreated app=echo endpoint=tcp://127.0.0.1:", output);

        (code, output, _) = await serve.RunAsync("app", "list", "--json");
        JsonElement app = Assert.Single(JsonSerializer.Deserialize<JsonElement[]>(output)!);
        Assert.Equal((0, "echo", "running"), (code, app.GetProperty("app").GetString(), app.GetProperty("state").GetString()));
        Assert.Matches("(?m)^echo +0  running ", (await serve.RunAsync("app", "list")).Output);
        Assert.Contains("queue.limit", (await serve.RunAsync("app", "info", "echo", "--all")).Output);
        Assert.StartsWith("echo, version 0: running\n", (await serve.RunAsync("app", "info", "echo")).Output);

        Assert.Equal((2, "", "app echo runs already: replace it, or delete it first\n"), await serve.RunAsync("app", "create", echo));
        (code, _, error) = await serve.RunAsync("app", "create", Path.Combine(Repository.Root, "tests/manifests/broken/key-twice.json"));
        Assert.Equal(2, code);
        Assert.Contains("key-twice.json:4:3: $.type: the key stands here twice", error);
        Assert.Equal((2, "", "/nowhere.json: there is no such file\n"), await serve.RunAsync("app", "create", "/nowhere.json"));
        Assert.Equal(1, (await serve.RunAsync("app", "info", "nothing")).Code);

        Assert.Equal("paused app=echo\n", (await serve.RunAsync("app", "pause", "echo")).Output);
        Assert.Contains("paused", (await serve.RunAsync("app", "list")).Output);
        Assert.Equal("resumed app=echo\n", (await serve.RunAsync("app", "resume", "echo")).Output);
        Assert.Equal("scaled app=echo\n", (await serve.RunAsync("app", "scale", "echo", "--limit", "3")).Output);
        Assert.Equal(2, (await serve.RunAsync("app", "replace", echo)).Code);
        Assert.Equal("replaced app=echo from=0 to=0\n", (await serve.RunAsync("app", "replace", echo, "--force")).Output);
        Assert.Contains("\"kind\":\"paused\"", (await serve.RunAsync("events", "echo", "--json")).Output);
        Assert.Equal("deleted app=echo\n", (await serve.RunAsync("app", "delete", "echo")).Output);

        serve.Signal("TERM");
        Assert.Equal(0, await serve.ExitAsync());
        (code, _, error) = await serve.RunAsync("app", "list");
        Assert.Equal(3, code);
        Assert.StartsWith($"no node at {serve.Endpoint}: ", error);
    }

    [Fact]
    public async Task Every_command_answers_a_program_with_one_object()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string manifest = _folder.Write("hurt.json", $$"""
            { "type": "python", "args": "local://{{Repository.Root}}/tests/apps/behaviours.py", "engine": { "retry-limit": 0 },
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder["hurt.sock"]}}", "events": "*" } } }
            """);
        await serve.RunAsync("app", "create", manifest);
        Assert.Equal("""{"app":"hurt","paused":true}""", await JsonOfAsync("app", "pause", "hurt"));
        Assert.Equal("""{"app":"hurt","resumed":true}""", await JsonOfAsync("app", "resume", "hurt"));
        Assert.Equal("""{"app":"hurt","scaled":true}""", await JsonOfAsync("app", "scale", "hurt", "--limit", "2"));
        string mended = _folder["mended"];
        string[] ids = new string[2];
        for (int i = 0; i < ids.Length; i++)
        {
            await serve.RunAsync("call", $"ipc://{_folder["hurt.sock"]}", "die_unless", "--data", mended);
            using JsonDocument jobs = JsonDocument.Parse(await JsonOfAsync("quarantine", "list"));
            ids[i] = jobs.RootElement.EnumerateArray().Select(job => job.GetProperty("id").GetString()!).Except(ids).Single();
        }

        File.WriteAllText(mended, "");
        Assert.Equal($$"""{"app":"hurt","id":"{{ids[0]}}","replayed":true}""", await JsonOfAsync("quarantine", "replay", "hurt", ids[0]));
        Assert.Equal($$"""{"app":"hurt","id":"{{ids[1]}}","dropped":true}""", await JsonOfAsync("quarantine", "drop", "hurt", ids[1]));
        Assert.Equal("""{"app":"hurt","deleted":true}""", await JsonOfAsync("app", "delete", "hurt"));
        (int code, string output, string error) = await serve.RunAsync("app", "pause", "hurt", "--json");
        Assert.Equal((1, ""), (code, output));
        Assert.Contains("no app hurt runs here", error);

        async Task<string> JsonOfAsync(params string[] words)
        {
            (int code, string output, string error) = await serve.RunAsync([.. words, "--json"]);
            Assert.Equal((0, ""), (code, error));
            return JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(output)); // without its layout
        }
    }

    [Fact]
    public async Task A_node_that_closes_the_connection_may_not_know_the_user()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string path = _folder["closes.sock"];
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        Task closes = Task.Run(async () => (await listener.AcceptAsync()).Dispose());
        (int code, string output, string error) = await serve.RunAsync("app", "list", "--node", $"ipc://{path}");
        await closes;
        Assert.Equal((3, ""), (code, output));
        Assert.StartsWith($"the listener at ipc://{path} closed the connection", error);
        Assert.Contains("Only root and the user that the node runs as may control it", error);
    }

    [Fact]
    public async Task A_second_node_refuses_the_state_folder_and_names_the_first()
    {
        using ServeProcess first = await ServeProcess.StartAsync(_folder);
        using ServeProcess second = ServeProcess.Start(_folder);
        Assert.Equal(1, await second.ExitAsync());
        await second.UntilLogAsync($"is used by another node (process {first.Process.Id})");
        Assert.False(first.Process.HasExited);
    }

    [Fact]
    public async Task Systemd_hears_when_it_is_ready_reloads_lives_and_stops()
    {
        using NotifySocket systemd = new(_folder["notify.sock"]);
        string manifest = _folder.Manifest("a", 1);
        using ServeProcess serve = ServeProcess.Start(
            _folder, $"\"apps\": [\"{manifest}\"]", ("NOTIFY_SOCKET", _folder["notify.sock"]), ("WATCHDOG_USEC", "1000000"));
        Assert.Equal("READY=1\nSTATUS=1 apps run, 0 failed", await systemd.UntilAsync("READY"));
        Assert.Equal("WATCHDOG=1", await systemd.UntilAsync("WATCHDOG"));

        _folder.Manifest("a", 2);
        serve.Signal("HUP");
        string note = await systemd.UntilAsync("RELOADING=1\nMONOTONIC_USEC=");
        long sent = long.Parse(note.Split('=')[^1], CultureInfo.InvariantCulture);
        double uptime = double.Parse(File.ReadAllText("/proc/uptime").Split(' ')[0], CultureInfo.InvariantCulture);
        Assert.InRange((uptime * 1e6) - sent, -1e6, 60e6);
        await systemd.UntilAsync("READY=1");
        await serve.UntilLogAsync("0 came, 1 changed, 0 went, 0 failed");

        _folder.Write("node.json", "{");
        serve.Signal("HUP");
        await serve.UntilLogAsync("the config has mistakes, and nothing was changed");
        await systemd.UntilAsync("READY=1\nSTATUS=1 apps run, 0 failed");

        serve.Signal("TERM");
        await systemd.UntilAsync("STOPPING=1");
        Assert.Equal(0, await serve.ExitAsync());
    }

    [Fact]
    public async Task A_reload_changes_the_level_of_the_log()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string config = File.ReadAllText(_folder["node.json"]);
        string quiet = $"\"log\": {{ \"level\": \"error\" }}, \"apps\": [\"{_folder.Manifest("late")}\"], \"loops\"";
        File.WriteAllText(_folder["node.json"], config.Replace("\"loops\"", quiet));
        serve.Signal("HUP");
        await serve.UntilLogAsync("SIGHUP: reading");
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!(await serve.RunAsync("app", "list")).Output.Contains("late")) // then it has been read, and the level is another
        {
            limit.Token.ThrowIfCancellationRequested();
        }

        File.WriteAllText(_folder["node.json"], "{");
        serve.Signal("HUP");
        await serve.UntilLogAsync("the config has mistakes"); // an error, which is logged still
        Assert.Single(serve.Log.Split('\n'), line => line.Contains("SIGHUP: reading"));
    }
}
