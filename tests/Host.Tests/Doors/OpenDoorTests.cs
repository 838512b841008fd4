using System.Net;
using Cocaine.Fast.Host.Tests.Survival;

namespace Cocaine.Fast.Host.Tests.Doors;

/// <summary>A node is reachable from other hosts only where its operator has said so, and then it says what that means.</summary>
[Collection(nameof(Alone))]
public sealed class OpenDoorTests : IDisposable
{
    private const string Words = "can be reached from other hosts, and nobody asks who calls: listen on lo (tcp://lo:PORT), "
        + "or let a firewall choose the callers; see docs/security.md";

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Check_names_each_door_of_an_app_that_is_open_to_other_hosts_and_is_content()
    {
        string file = Manifest("""
            "pubsub": { "endpoint": "tcp://*:9201" },
            "tasks": {
              "here": { "type": "native-server", "endpoint": ["tcp://lo:9101", "tcp://127.0.0.2:9102", "tcp://[::1]:9103", "tcp://localhost:9104", "ipc:///run/x.sock"] },
              "call": { "type": "native-server", "endpoint": ["tcp://lo:9105", "tcp://eth7:9106", "tcp://192.0.2.1:9107", "tcp://[2001:db8::1]:9108"] },
              "sink": { "type": "native-sink", "endpoint": "tcp://host.example.org:9109" },
              "raw": { "type": "raw-server", "endpoint": "tcp://0.0.0.0:9110" },
              "pull": { "type": "zeromq-sink", "endpoint": "tcp://*:9111" },
              "old": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://*:9112" },
              "feed": { "type": "zeromq-subscriber", "endpoint": "tcp://192.0.2.1:9113" },
              "tick": { "type": "recurring-timer", "interval": 1000 } }
            """);
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check {file}");
        string[] doors =
        [
            "$.tasks.call.endpoint: 'tcp://eth7:9106'", "$.tasks.call.endpoint: 'tcp://192.0.2.1:9107'",
            "$.tasks.call.endpoint: 'tcp://[2001:db8::1]:9108'", "$.tasks.sink.endpoint: 'tcp://host.example.org:9109'",
            "$.tasks.raw.endpoint: 'tcp://0.0.0.0:9110'", "$.tasks.pull.endpoint: 'tcp://*:9111'",
            "$.tasks.old.endpoint: 'tcp://*:9112'", "$.pubsub.endpoint: 'tcp://*:9201'",
        ];
        Assert.Equal(
            doors.Select(door => $"{file}: warning: {door} {Words}").Order(StringComparer.Ordinal),
            errors.TrimEnd().Split('\n').Order(StringComparer.Ordinal));
        Assert.Equal((0, "ok\n"), (code, output));
    }

    [Fact]
    public async Task Check_tells_of_an_open_service_node_and_refuses_the_control_protocol_of_2012_for_other_hosts()
    {
        string app = Manifest(""" "tasks": { "raw": { "type": "raw-server", "endpoint": "tcp://*:9110" } } """);
        string open = _folder.Write("open.json", $$"""{ "node-service": "tcp://*:9120", "locator": "tcp://*:9121", "apps": ["{{app}}"] }""");
        (int code, string output, string errors) = await HostProcess.RunAsync(_folder, $"check {open}");
        Assert.Equal((0, "ok\n"), (code, output));
        Assert.Equal(
            [$"{open}: warning: $.node-service: 'tcp://*:9120' {Words}", $"{app}: warning: $.tasks.raw.endpoint: 'tcp://*:9110' {Words}"],
            errors.TrimEnd().Split('\n'));

        string wrong = _folder.Write("wrong.json", "{\n  \"control\": { \"zeromq\": \"tcp://*:5000\" },\n  \"locator\": \"none\" }");
        string mistake = $"{wrong}:2:26: $.control.zeromq: 'tcp://*:5000': other hosts can reach it, ";
        (code, _, errors) = await HostProcess.RunAsync(_folder, $"check {wrong}");
        Assert.True(code == 2 && errors.StartsWith(mistake, StringComparison.Ordinal), $"{code} {errors}");
        (code, _, errors) = await HostProcess.RunAsync(_folder, $"serve --config {wrong}");
        Assert.True(code == 2 && errors.StartsWith(mistake, StringComparison.Ordinal), $"{code} {errors}");
    }

    [Fact]
    public async Task A_node_that_starts_names_its_open_doors_once_and_no_others()
    {
        string app = Manifest("""
            "pubsub": { "endpoint": "tcp://*:0" },
            "tasks": {
              "here": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0" },
              "call": { "type": "native-server", "endpoint": ["tcp://lo:0", "tcp://0.0.0.0:0"] },
              "raw": { "type": "raw-server", "endpoint": "tcp://*:0" },
              "pull": { "type": "zeromq-sink", "endpoint": "tcp://*:0" } }
            """);
        using ServeProcess serve = await ServeProcess.StartAsync(_folder, $$""" "node-service": "tcp://*:0" """);
        Assert.Equal((0, ""), ((await serve.RunAsync("app", "create", app)) is var (code, _, errors) ? (code, errors) : default));
        string log = serve.Log;
        foreach (string door in (string[])["service node: everybody who reaches it may pause apps; tcp://*:0", "doors/call: tcp://0.0.0.0:0", "doors/raw: tcp://*:0"])
        {
            Assert.True(log.Split($"{door} {Words}").Length == 2, $"{door}:\n{log}");
        }

        foreach (string door in (string[])["doors/pull: tcp://[::]:", "doors/pubsub: tcp://[::]:"]) // the port that it got
        {
            Assert.True(log.Split('\n').Count(line => line.Contains(door) && line.EndsWith(Words, StringComparison.Ordinal)) == 1, $"{door}:\n{log}");
        }

        Assert.Equal(5, log.Split(Words).Length - 1);
        Assert.Equal(0, (await serve.RunAsync("app", "restart", "doors")).Code);
        Assert.Equal(5, serve.Log.Split(Words).Length - 1); // the listeners were handed over: the doors are as they were
        (_, string events, _) = await serve.RunAsync("events", "doors");
        Assert.Contains("doors/raw: tcp://*:0 can be reached from other hosts", events);
    }

    /// <summary>The node of somebody who has said nothing at all.</summary>
    [Fact]
    public async Task A_node_without_a_config_listens_on_this_host_alone()
    {
        string app = _folder.Manifest("echo");
        using HostProcess node = HostProcess.Start(
            _folder, $"run {app} --control none --ledger-folder {_folder["ledger"]} --runtime-folder {_folder["run"]}");
        string endpoint = await node.UntilReadyAsync();
        IPEndPoint[] listens = [.. Listening(node.Process.Id)];
        Assert.Contains(new IPEndPoint(IPAddress.Loopback, 10053), listens);
        Assert.Contains(IPEndPoint.Parse(endpoint["tcp://".Length..]), listens);
        Assert.All(listens, at => Assert.True(IPAddress.IsLoopback(at.Address), $"{at}"));
        Assert.DoesNotContain("other hosts", node.Errors);
    }

    private string Manifest(string keys) => _folder.Write(
        "doors.json", $$"""{ "name": "doors", "type": "python", "args": "local://{{Repository.Root}}/examples/echo/echo.py", {{keys}} }""");

    /// <summary>The addresses on which a process listens, as the kernel tells them.</summary>
    private static IEnumerable<IPEndPoint> Listening(int process)
    {
        HashSet<string> own = [.. Directory.GetFiles($"/proc/{process}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")];
        foreach (string line in ((string[])["tcp", "tcp6"]).SelectMany(name => File.ReadLines($"/proc/{process}/net/{name}").Skip(1)))
        {
            string[] words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words[3] == "0A" && own.Contains($"socket:[{words[9]}]"))
            {
                string[] at = words[1].Split(':');
                byte[] address = [.. Convert.FromHexString(at[0]).Chunk(4).SelectMany(part => part.Reverse())];
                yield return new IPEndPoint(new IPAddress(address), Convert.ToInt32(at[1], 16));
            }
        }
    }
}
