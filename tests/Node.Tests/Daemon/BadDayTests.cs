using System.Diagnostics;
using System.Net.Sockets;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>A daemon whose machine runs out of things, and users who type the wrong ones.</summary>
[Collection(nameof(Alone))]
public sealed class BadDayTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Clients_cannot_take_the_descriptors_that_the_node_needs()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string echo = Path.Combine(Repository.Root, "examples/echo/manifest.json");
        await using NodeControlClient node = await serve.ConnectAsync();
        string endpoint = (await node.CreateAsync(new ManifestText(File.ReadAllBytes(echo), echo))).Endpoints[0];
        await UntilReadyAsync(node, "echo");
        int port = new Uri(endpoint).Port;
        int limit = Directory.GetFiles($"/proc/{serve.Process.Id}/fd").Length;
        using Process prlimit = Process.Start("/usr/bin/prlimit", ["--pid", $"{serve.Process.Id}", $"--nofile={limit + 4}:{limit + 4}"]);
        await prlimit.WaitForExitAsync();
        List<Socket> strangers = [];
        for (int i = 0; i < 100; i++)
        {
            Socket stranger = new(SocketType.Stream, ProtocolType.Tcp);
            stranger.Connect("127.0.0.1", port);
            strangers.Add(stranger);
        }

        TimeSpan before = serve.Process.TotalProcessorTime;
        await Task.Delay(TimeSpan.FromSeconds(2)); // the time in which a node that tries without an end uses up two seconds of a core
        serve.Process.Refresh();
        Assert.InRange((serve.Process.TotalProcessorTime - before).TotalSeconds, 0, 1);
        strangers.ForEach(stranger => stranger.Dispose());
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Assert.Equal("hello"u8.ToArray(), await client.CallAsync("echo", "hello"u8.ToArray()).WaitAsync(TimeSpan.FromSeconds(30)));
    }

    [Fact]
    public async Task A_low_limit_of_descriptors_leaves_the_node_alive_and_controllable_under_a_flood_of_connections()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, descriptors: 256);
        string echo = Path.Combine(Repository.Root, "examples/echo/manifest.json");
        await using NodeControlClient node = await serve.ConnectAsync();
        string endpoint = (await node.CreateAsync(new ManifestText(File.ReadAllBytes(echo), echo))).Endpoints[0];
        await UntilReadyAsync(node, "echo");
        List<Socket> strangers = [];
        for (int i = 0; i < 400; i++)
        {
            Socket stranger = new(SocketType.Stream, ProtocolType.Tcp);
            stranger.Connect("127.0.0.1", new Uri(endpoint).Port);
            strangers.Add(stranger);
        }

        Assert.Contains("\necho ", (await serve.RunAsync("app", "list")).Output);
        Assert.Equal("deleted app=echo\n", (await serve.RunAsync("app", "delete", "echo")).Output);
        await serve.UntilLogAsync("connections are refused: nearly all descriptors are in use");
        strangers.ForEach(stranger => stranger.Dispose());
    }

    [Fact]
    public async Task A_storm_of_reloads_takes_nothing_from_a_replacement()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        await serve.RunAsync("app", "create", _folder.Manifest("a", 1));
        using CancellationTokenSource storm = new();
        Task hangUps = Task.Run(() =>
        {
            while (!storm.IsCancellationRequested)
            {
                serve.Signal("HUP");
            }
        });
        for (int version = 2; version <= 10; version++)
        {
            (int code, string output, string error) = await serve.RunAsync("app", "replace", _folder.Manifest("a", version));
            Assert.Equal((0, $"replaced app=a from={version - 1} to={version}\n", ""), (code, output, error));
        }

        await storm.CancelAsync();
        await hangUps;
    }

    [Fact]
    public async Task A_file_in_the_place_of_the_control_socket_is_left_as_it_is()
    {
        string file = _folder.Write("control.sock", "somebody's");
        using ServeProcess serve = ServeProcess.Start(_folder);
        Assert.Equal(1, await serve.ExitAsync());
        await serve.UntilLogAsync("or a file is in its place");
        Assert.Equal("somebody's", File.ReadAllText(file));
    }

    [Fact]
    public async Task Arguments_of_the_wrong_type_are_told_without_a_stack_and_exit_with_2()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string[][] wrong =
        [
            ["app", "scale", "echo", "--limit", "many"], ["app", "delete", "echo", "--drain-timeout", "5s"], ["why", "last"],
            ["bench", "tcp://lo:1", "echo", "--connections", "x"], ["chaos", "x.json", "--duration", "long"], ["app", "scale", "echo"], ["app"],
        ];
        foreach (string[] words in wrong)
        {
            (int code, _, string error) = await serve.RunAsync(words);
            Assert.Equal(2, code);
            Assert.NotEqual("", error);
            Assert.DoesNotContain("   at ", error);
        }

        (int none, _, string text) = await serve.RunAsync("app", "list", "--node", "ipc:///nowhere/x.sock");
        Assert.Equal(3, none);
        Assert.Contains("there is no such socket", text);
    }

    [Fact]
    public async Task A_broken_app_is_listed_with_its_reason_and_what_its_workers_started_ends_with_them()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        _folder.Write("dies.py", "import subprocess\nopen('" + _folder["child"] + "', 'w').write(str(subprocess.Popen(['sleep', '600']).pid))\nraise ValueError('no luck')\n");
        string manifest = _folder.Write("dies.json", """{ "type": "python", "args": "dies.py", "tasks": { "x": { "type": "manual-scheduler" } } }""");
        (int code, string output, string error) = await serve.RunAsync("app", "create", manifest);
        Assert.Equal((1, "created app=dies version=0\n"), (code, output));
        Assert.StartsWith("app dies was created, but is not ready: ", error);
        Assert.Contains("ValueError: no luck", error);
        Assert.Contains("It stays and goes on trying: see 'cocaine-fast app logs dies'.", error);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string list = (await serve.RunAsync("app", "list")).Output;
        Assert.Contains("broken", list);
        Assert.Contains("ValueError: no luck", list);
        await serve.RunAsync("app", "delete", "dies");
        string child = File.ReadAllText(_folder["child"]);
        while (File.Exists($"/proc/{child}/stat") && !File.ReadAllText($"/proc/{child}/stat").Contains(") Z "))
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Delay(10, CancellationToken.None);
        }
    }

    private static async Task UntilReadyAsync(NodeControlClient node, string app)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while ((await node.ListAsync(limit.Token)).Single(one => one.App == app) is not { Slaves: > 0, State: "running" })
        {
            await Task.Delay(10, limit.Token);
        }
    }
}
