using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary><c>security.network</c>: the least protection of doors that other hosts can reach, at a check and at a create.</summary>
public sealed class NetworkFloorTests : IDisposable
{
    private const string Here = "listen on an address of this host alone, such as tcp://lo:PORT";

    private readonly TestFolder _folder = new();
    private readonly TestCertificates _ca;
    private readonly TestCertificate _server;

    public NetworkFloorTests()
    {
        _ca = new TestCertificates(_folder);
        _server = _ca.IssueServer();
    }

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("open", "")]
    [InlineData("tls", "off,zmq,feed")]
    [InlineData("mutual", "off,on,zmq,feed")]
    [InlineData("sealed", "off,on,mutual,raw,zmq,feed")]
    public async Task Each_door_below_the_floor_is_a_mistake_with_its_place_and_remedy(string floor, string wrong)
    {
        string app = App("""
            "off": { "type": "native-server", "endpoint": "tcp://*:9101" },
            "on": { "type": "native-server", "endpoint": "tcp://*:9102", "tls": "on" },
            "mutual": { "type": "native-server", "endpoint": "tcp://*:9103", "tls": "mutual" },
            "raw": { "type": "raw-server", "endpoint": "tcp://*:9104", "tls": "mutual" },
            "zmq": { "type": "zeromq-server", "endpoint": "tcp://*:9105" },
            "seal": { "type": "zeromq-server", "endpoint": "tcp://*:9106", "sealed": "required" },
            "here": { "type": "native-server", "endpoint": "tcp://lo:9107" },
            "feed2": { "type": "zeromq-subscriber", "endpoint": "tcp://192.0.2.1:9113" }
            """, """ "pubsub": { "endpoint": "tcp://*:9201" }, """);
        string config = _folder.Write("node.json", $$"""{ {{Section(floor)}}, "apps": ["{{app}}"] }""");
        (int code, _, string errors) = await HostProcess.RunAsync(_folder, $"check {config}");
        string[] lines = [.. errors.Split('\n').Where(line => line.Contains("security.network wants"))];
        string[] names = wrong.Length == 0 ? [] : wrong.Split(',');
        Assert.Equal(names.Length == 0 ? 0 : 2, code);
        Assert.Equal(
            names.Select(name => name == "feed" ? "pubsub" : $"tasks.{name}").Order(StringComparer.Ordinal),
            lines.Select(line => line.Split("$.")[1].Split(": ")[0]).Select(path => path[..path.LastIndexOf('.')]).Order(StringComparer.Ordinal));
        Assert.All(lines, line => Assert.Contains(Here, line));
    }

    [Fact]
    public async Task A_create_below_the_floor_is_refused_by_the_node_and_a_reload_raises_it()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, Section("tls"));
        string plain = App(""" "event": { "type": "native-server", "endpoint": "tcp://0.0.0.0:0", "events": "*" } """);
        (int code, _, string error) = await serve.RunAsync("app", "create", plain);
        Assert.Equal(2, code);
        Assert.Contains($": $.tasks.event.endpoint: security.network wants 'tls' for tcp://0.0.0.0:0, found 'off': write \"tls\": \"on\", or {Here}\n", error);
        string secured = App(""" "event": { "type": "native-server", "endpoint": "tcp://0.0.0.0:0", "tls": "on", "events": "*" } """);
        Assert.Equal(0, (await serve.RunAsync("app", "create", secured)).Code);
        string config = _folder["node.json"];
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"network\": \"tls\"", "\"network\": \"mutual\"", StringComparison.Ordinal));
        serve.Signal("HUP");
        await serve.UntilLogAsync("app doors goes on as it was: "); // and the log says that it is below the floor by now
        Assert.Contains("security.network wants 'mutual' for tcp://0.0.0.0:0, found 'on'", serve.Log);
        (code, _, error) = await serve.RunAsync("app", "replace", "--force", secured);
        Assert.True(code == 2 && error.Contains("security.network wants 'mutual'"), error);
    }

    [Fact]
    public async Task A_feed_for_other_hosts_is_a_mistake_as_soon_as_there_are_rules()
    {
        string app = App(""" "event": { "type": "native-server", "endpoint": "tcp://lo:9101" } """, """ "pubsub": { "endpoint": "tcp://*:9201" }, """);
        const string Rules = """ "security": { "rights": [ { "who": "@local", "call": { "*": "*" } } ] } """;
        string config = _folder.Write("node.json", $$"""{ {{Rules}}, "apps": ["{{app}}"] }""");
        (int code, _, string errors) = await HostProcess.RunAsync(_folder, $"check {config}");
        string mistake = ": $.pubsub.endpoint: 'tcp://*:9201': other hosts can reach it, the node has rules for its callers, and readers of results prove nothing: "
            + $"{Here}, and let a tunnel lead there\n";
        Assert.True(code == 2 && errors.Contains(mistake), errors);
        _folder.Write("node.json", $$"""{ "apps": ["{{app}}"] }""");
        Assert.Equal(0, (await HostProcess.RunAsync(_folder, $"check {config}")).Code);
    }

    private string Section(string floor) => $$"""
        "security": { "network": "{{floor}}", "tls": { "certificate": "{{_server.CertificateFile}}", "key": "{{_server.KeyFile}}", "client-ca": "{{_ca.CaFile}}" } }
        """;

    private string App(string tasks, string more = "") => _folder.Write("doors.json", $$"""
        { "name": "doors", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", {{more}}
          "tasks": { {{tasks.Trim()}} } }
        """);
}
