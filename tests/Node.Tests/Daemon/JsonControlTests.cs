using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>The control protocol of 2012 with libzmq on the other side.</summary>
public sealed class JsonControlTests : IAsyncLifetime
{
    private readonly TestFolder _folder = new();
    private readonly ZeroMqPeer _peer = new();
    private TestDaemon _daemon = null!;

    public async Task InitializeAsync()
    {
        string text = $"\"control\": {{ \"endpoint\": \"ipc://{_folder["control.sock"]}\", \"zeromq\": \"tcp://127.0.0.1:0\" }}";
        _daemon = await TestDaemon.StartAsync(_folder, text);
        string endpoint = Assert.Single(_daemon.Daemon.ZeroMqControlEndpoints);
        await _peer.OpenAsync("control", "REQ", endpoint);
        await _peer.OpenAsync("raw", "DEALER", endpoint);
    }

    public async Task DisposeAsync()
    {
        _peer.Dispose();
        await _daemon.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>The reader of configs refuses it by its text; a program that makes its config itself, and an interface lo of many addresses, come here.</summary>
    [Theory]
    [InlineData("tcp://*:0")]
    [InlineData("tcp://0.0.0.0:0")]
    [InlineData("tcp://192.0.2.1:0")]
    public async Task It_is_opened_for_no_other_host(string endpoint)
    {
        using TestFolder folder = new();
        NodeConfig config = new()
        {
            StateFolder = folder["state"],
            LedgerFolder = folder["ledger"],
            RuntimeFolder = folder["run"],
            Locator = null,
            Loops = 1,
            ControlEndpoint = $"ipc://{folder["control.sock"]}",
            ZeroMqControlEndpoint = endpoint,
        };
        await using NodeDaemon daemon = new(config, NullLoggerFactory.Instance);
        NodeException refused = await Assert.ThrowsAsync<NodeException>(() => daemon.StartAsync());
        Assert.StartsWith($"control.zeromq: {endpoint}: other hosts can reach ", refused.Message);
        Assert.Empty(daemon.ZeroMqControlEndpoints);
    }

    [Fact]
    public async Task Apps_are_created_reloaded_shown_and_deleted()
    {
        string manifest = File.ReadAllText(_folder.Manifest("unused"));
        JsonElement created = await AskAsync($$"""{ "version": 2, "action": "create", "apps": { "echo": {{manifest}}, "bad": 5 } }""");
        Assert.Equal("app manifest expected", created.GetProperty("bad").GetProperty("error").GetString());
        JsonElement echo = created.GetProperty("echo");
        Assert.True(echo.GetProperty("running").GetBoolean(), echo.ToString());
        Assert.Equal("native-server", echo.GetProperty("tasks").GetProperty("echo").GetProperty("type").GetString());
        Assert.Equal(0, echo.GetProperty("queue-depth").GetInt32());
        Assert.Equal(["total", "busy"], echo.GetProperty("slaves").EnumerateObject().Select(member => member.Name));
        Assert.Equal(["echo 0"], _daemon.Running);
        Assert.Equal(["echo.json"], Directory.GetFiles(_folder["state/apps"]).Select(Path.GetFileName));

        created = await AskAsync($$"""{ "version": 2, "action": "create", "apps": { "echo": {{manifest}} } }""");
        Assert.Equal("the specified app is already active", created.GetProperty("echo").GetProperty("error").GetString());

        JsonElement info = await AskAsync("""{ "version": 2, "action": "info" }""");
        Assert.Equal(["route", "apps", "jobs", "uptime"], info.EnumerateObject().Select(member => member.Name));
        Assert.Equal(["echo"], info.GetProperty("apps").EnumerateObject().Select(member => member.Name));
        Assert.Equal("""{"pending":0,"processed":0}""", info.GetProperty("jobs").ToString());

        JsonElement reloaded = await AskAsync("""{ "version": 2, "action": "reload", "apps": [ "echo", "none" ] }""");
        Assert.True(reloaded.GetProperty("echo").GetProperty("running").GetBoolean());
        Assert.Equal("the specified app is not active", reloaded.GetProperty("none").GetProperty("error").GetString());

        JsonElement deleted = await AskAsync("""{ "version": 2, "action": "delete", "apps": [ "echo" ] }""");
        Assert.Equal("""{"echo":{"running":false}}""", deleted.ToString());
        Assert.Empty(_daemon.Running);
        Assert.Empty(Directory.GetFiles(_folder["state/apps"]));
    }

    [Fact]
    public async Task A_dealer_finds_the_route_and_the_port_of_each_task_with_a_ZeroMQ_socket()
    {
        string manifest = $$"""
            { "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", "engine": { "pool-limit": 1 },
              "tasks": {
                "old": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://127.0.0.1:0", "events": "*", "backlog": 77 },
                "requests": { "type": "zeromq-server", "endpoint": "tcp://*:0" },
                "plain": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" },
                "feed": { "type": "zeromq-subscriber", "endpoint": "tcp://127.0.0.1:1" } } }
            """;
        JsonElement made = (await AskAsync($$"""{ "version": 2, "action": "create", "apps": { "echo": {{manifest}} } }""")).GetProperty("echo");
        JsonElement all = (await AskAsync("""{ "version": 2, "action": "info" }""")).GetProperty("apps").GetProperty("echo").GetProperty("tasks");
        Assert.Equal(made.GetProperty("tasks").EnumerateObject().Select(task => task.Name), all.EnumerateObject().Select(task => task.Name));
        string host = System.Net.Dns.GetHostName();
        foreach ((string task, string type, string at, int backlog) in
            ((string, string, string, int)[])[("old", "native-server", "127.0.0.1", 77), ("requests", "zeromq-server", host, 1000)])
        {
            JsonElement old = all.GetProperty(task);
            Assert.Equal(type, old.GetProperty("type").GetString());
            Assert.Equal($"default/{host}/echo/{task}", old.GetProperty("route").GetString());
            Assert.Equal(backlog, old.GetProperty("backlog").GetInt32());
            string[] endpoint = old.GetProperty("endpoint").GetString()!.Split(':');
            Assert.Equal((2, at), (endpoint.Length, endpoint[0]));
            await _peer.OpenAsync(task, "DEALER", $"tcp://127.0.0.1:{endpoint[1]}"); // the port is the one that answers
            Assert.Equal(
                ["time-spent-in-queues", "median-wait-time", "time-spent-on-slaves", "median-processing-time"],
                old.GetProperty("statistics").EnumerateObject().Select(member => member.Name));
        }

        await _peer.SendTextAsync("requests", "", "hello");
        Assert.Equal("", (await _peer.ReceiveTextAsync("requests"))[0]);
        Assert.False(all.GetProperty("plain").TryGetProperty("endpoint", out _)); // a dealer would speak ZeroMQ to it
        Assert.False(all.GetProperty("feed").TryGetProperty("endpoint", out _));
    }

    [Theory]
    [InlineData("[]", "json root must be an object")]
    [InlineData("{}", "unsupported protocol version")]
    [InlineData("""{"version": 1, "action": "info"}""", "unsupported protocol version")]
    [InlineData("""{"version": 4, "action": "info"}""", "unsupported protocol version")]
    [InlineData("""{"version": "2", "action": "info"}""", "unsupported protocol version")]
    [InlineData("""{"version": 3, "action": "info"}""", "username expected")]
    [InlineData("""{"version": 3, "action": "info", "username": "me"}""", "this node verifies no signatures: use version 2, or name a folder of keys in security.keys")]
    [InlineData("""{"version": 2}""", "unsupported action")]
    [InlineData("""{"version": 2, "action": "push"}""", "unsupported action")]
    [InlineData("""{"version": 2, "action": "create"}""", "no apps have been specified")]
    [InlineData("""{"version": 2, "action": "create", "apps": ["a"]}""", "no apps have been specified")]
    [InlineData("""{"version": 2, "action": "delete", "apps": {"a": 1}}""", "no apps have been specified")]
    [InlineData("""{"version": 2, "action": "reload", "apps": []}""", "no apps have been specified")]
    public async Task What_is_wrong_with_a_request_is_its_answer(string request, string error) =>
        Assert.Equal(JsonSerializer.Serialize(new { error }), (await AskAsync(request)).ToString());

    [Fact]
    public async Task Mistakes_of_a_manifest_are_told_and_so_is_another_name()
    {
        JsonElement answer = await AskAsync("""
            { "version": 2, "action": "create", "apps": { "a": { "type": "pyton" }, "b": { "name": "c" }, "Upper": { "type": "python" }, "../x": { "type": "python" } } }
            """);
        Assert.StartsWith("/a.json:1:", answer.GetProperty("a").GetProperty("error").GetString());
        Assert.Contains("did you mean 'python'?", answer.GetProperty("a").GetProperty("error").GetString());
        Assert.Equal("the manifest has another name than 'b'", answer.GetProperty("b").GetProperty("error").GetString());
        Assert.StartsWith("'Upper' is no app name", answer.GetProperty("Upper").GetProperty("error").GetString());
        Assert.Contains("is no app name", answer.GetProperty("../x").GetProperty("error").GetString());
        Assert.Empty(_daemon.Running);
    }

    [Fact]
    public async Task What_is_no_request_disturbs_nobody()
    {
        await _peer.SendTextAsync("raw", "no empty frame", "x");
        await _peer.SendTextAsync("raw", "");
        await _peer.SendAsync("raw", [], [0xff, 0x00]);
        Assert.StartsWith("{\"error\":\"not JSON: ", (await _peer.ReceiveTextAsync("raw"))[^1]);
        await _peer.SendTextAsync("raw", "hop", "", """{"version": 2, "action": "info"}""", "a signature");
        string[] frames = await _peer.ReceiveTextAsync("raw");
        Assert.Equal(["hop", ""], frames[..2]);
        Assert.Matches(new Regex("^{\"route\":"), frames[2]);
    }

    private async Task<JsonElement> AskAsync(string request)
    {
        await _peer.SendAsync("control", Encoding.UTF8.GetBytes(request));
        return JsonSerializer.Deserialize<JsonElement>((await _peer.ReceiveTextAsync("control"))[^1]);
    }
}
