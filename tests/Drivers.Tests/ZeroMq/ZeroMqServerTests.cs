using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>zeromq-server, as REQ and DEALER sockets of libzmq see it.</summary>
public sealed class ZeroMqServerTests
{
    private const string Echo = """{ "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }""";

    [Fact]
    public async Task A_req_gets_exactly_one_reply_whatever_the_job_does()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo":    { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
              "nothing": { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
              "many":    { "type": "zeromq-server", "endpoint": "tcp://127.0.0.1:0" },
              "fail":    { "type": "zeromq-server", "endpoint": "tcp://*:0" } }
            """));
        using ZeroMqPeer peer = new();
        foreach (string task in (string[])["echo", "nothing", "many", "fail"])
        {
            await peer.OpenAsync(task, "REQ", app.EndpointOf(task).Replace("[::]", "127.0.0.1"));
        }

        async Task<string[]> AskAsync(string task, params string[] request)
        {
            await peer.SendTextAsync(task, request);
            return await peer.ReceiveTextAsync(task);
        }

        for (int round = 0; round < 3; round++)
        {
            Assert.Equal(["hello"], await AskAsync("echo", "hello"));
            Assert.Equal([""], await AskAsync("echo", ""));
            Assert.Equal([""], await AskAsync("nothing", "x"));
            Assert.Equal(["1", "2", "3"], await AskAsync("many", "3"));
            Assert.Equal(["a", "b"], await AskAsync("echo", "a", "b"));
            JsonElement error = JsonSerializer.Deserialize<JsonElement>(Assert.Single(await AskAsync("fail", "bad luck")));
            Assert.Contains("bad luck", error.GetProperty("message").GetString());
            Assert.InRange(error.GetProperty("code").GetInt32(), 1, int.MaxValue);
        }

        Assert.Equal(0, await app.NumberAsync("tasks", "echo", "dropped"));
        Assert.Equal(18, await app.NumberAsync("jobs", "done"));
    }

    [Fact]
    public async Task A_dealer_gets_each_chunk_as_a_message_where_the_manifest_says_so()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "nothing": { "type": "zeromq-server", "endpoint": "tcp://lo:0", "replies": "chunks" },
              "many":    { "type": "zeromq-server", "endpoint": "tcp://lo:0", "replies": "chunks" },
              "fail":    { "type": "zeromq-server", "endpoint": "tcp://lo:0", "replies": "chunks" } }
            """));
        using ZeroMqPeer peer = new();
        foreach (string task in (string[])["nothing", "many", "fail"])
        {
            await peer.OpenAsync(task, "DEALER", app.EndpointOf(task));
        }

        for (int round = 0; round < 3; round++) // calls come from their pool
        {
            await peer.SendTextAsync("many", "", "3");
            await peer.SendTextAsync("many", "proxy", "", "2");
            foreach (string[] message in (string[][])[["", "1"], ["", "2"], ["", "3"], ["proxy", "", "1"], ["proxy", "", "2"]])
            {
                Assert.Equal(message, await peer.ReceiveTextAsync("many"));
            }

            await peer.SendTextAsync("fail", "", "bad luck");
            string[] error = await peer.ReceiveTextAsync("fail");
            Assert.Equal(("", 2), (error[0], error.Length));
            Assert.Contains("bad luck", JsonSerializer.Deserialize<JsonElement>(error[1]).GetProperty("message").GetString());
            await peer.SendTextAsync("nothing", "", "x"); // and no message comes
            await app.UntilAsync(3 * (round + 1), "jobs", "done");
        }

        await peer.SendTextAsync("nothing", "not a request");
        Assert.Equal(400, JsonSerializer.Deserialize<JsonElement>((await peer.ReceiveTextAsync("nothing"))[1]).GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task The_route_comes_back_as_it_went_and_what_is_no_request_gets_400()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("echo"), identity: "me");
        async Task<string[]> AskAsync(params string[] frames)
        {
            await peer.SendTextAsync("dealer", frames);
            return await peer.ReceiveTextAsync("dealer");
        }

        Assert.Equal(["", "plain"], await AskAsync("", "plain"));
        Assert.Equal(["proxy", "another", "", "routed"], await AskAsync("proxy", "another", "", "routed"));
        Assert.Equal(["", "one", "", "three"], await AskAsync("", "one", "", "three"));
        string[] tooMany = [.. Enumerable.Repeat("x", 5000)];
        foreach (string[] bad in (string[][])[["no empty frame"], [""], [.. Enumerable.Repeat("hop", 17), "", "far"], ["", .. tooMany], tooMany])
        {
            string[] answer = await AskAsync(bad);
            Assert.Equal(("", 2), (answer[0], answer.Length));
            Assert.Equal(400, JsonSerializer.Deserialize<JsonElement>(answer[1]).GetProperty("code").GetInt32());
        }

        Assert.Equal(["", "still there"], await AskAsync("", "still there"));
        Assert.Equal(5, await app.NumberAsync("tasks", "echo", "malformed"));
    }

    [Fact]
    public async Task A_full_queue_answers_503_and_a_flood_is_answered_to_the_last()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(
            """{ "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0", "backlog": 100000 } }""",
            """{"queue-limit":2,"pool-limit":1,"concurrency":1}"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("echo"), hwm: 100_000);
        const int Count = 20_000;
        Assert.Equal(Count, await peer.FloodAsync("dealer", Count, 20_000, [], Encoding.UTF8.GetBytes("x")));
        Dictionary<string, int> answers = await peer.DrainAsync("dealer", 3000);
        Assert.Equal(Count, answers.Values.Sum());
        Assert.InRange(answers["x"], 3, Count);
        Assert.All(answers.Keys.Where(answer => answer != "x"), answer => Assert.StartsWith("""{"code":503,"message":"the queue is full""", answer));
    }

    [Fact]
    public async Task Answers_of_peers_that_went_away_are_dropped_and_counted()
    {
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "held": { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
              "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }
            """));
        using (ZeroMqPeer peer = new())
        {
            await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("held"));
            for (int i = 0; i < 5; i++)
            {
                await peer.SendTextAsync("dealer", "", gate + i);
            }

            await app.UntilAsync(5, "jobs", "running");
        } // killed

        await UntilNobodyIsConnectedAsync(app.EndpointOf("held"));
        for (int i = 0; i < 5; i++)
        {
            File.WriteAllText(gate + i, "");
            await app.UntilAsync(i + 1, "jobs", "done");
            File.Delete(gate + i);
        }

        await app.UntilAsync(1, "tasks", "held", "dropped");
        await node.LogLines.UntilAsync("answers were dropped because their clients went away"); // told after it is counted, by another thread
        using ZeroMqPeer next = new();
        await next.OpenAsync("req", "REQ", app.EndpointOf("echo"));
        await next.SendTextAsync("req", "hello");
        Assert.Equal(["hello"], await next.ReceiveTextAsync("req"));
    }

    [Fact]
    public async Task A_taken_port_and_an_unknown_host_fail_the_start_with_the_reason()
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;
        await using TestNode node = TestNode.Start();
        async Task<string> FailureAsync(string tasks) =>
            (await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(ZeroMqApps.Fields(tasks)))).Message;

        Assert.Equal(
            $"app fields: task pull: cannot listen on tcp://127.0.0.1:{port}: Address already in use",
            await FailureAsync($$"""{ "pull": { "type": "zeromq-sink", "endpoint": "tcp://127.0.0.1:{{port}}" } }"""));
        Assert.StartsWith(
            "app fields: task echo: cannot listen on tcp://nowhere0:0: 'nowhere0' is no address, no interface of this machine and no known name",
            await FailureAsync("""{ "echo": { "type": "zeromq-server", "endpoint": "tcp://nowhere0:0" } }"""));

        // Nothing of it stayed: the same app starts on another port.
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo));
        Assert.StartsWith("tcp://127.0.0.1:", app.EndpointOf("echo"));
    }

    [Fact]
    public async Task Answers_under_way_reach_their_clients_when_the_node_stops()
    {
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        using ZeroMqPeer peer = new();
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""{ "held": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }"""));
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("held"));
        for (int i = 0; i < 10; i++)
        {
            await peer.SendTextAsync("dealer", "", gate);
        }

        await app.UntilAsync(10, "jobs", "running");
        Task stopped = node.DisposeAsync().AsTask();
        await node.LogLines.UntilAsync("takes no more jobs");
        await peer.SendTextAsync("dealer", "", "late");
        string[] refused = await peer.ReceiveTextAsync("dealer");
        Assert.Contains("""{"code":503,"message":"the app is draining""", refused[1]);
        File.WriteAllText(gate, "");
        for (int i = 0; i < 10; i++)
        {
            Assert.Equal(["", "held"], await peer.ReceiveTextAsync("dealer"));
        }

        await stopped;
        File.Delete(gate);
    }

    /// <summary>The kernel's list has no connection of the port: ZeroMQ's own thread has seen the end and closed its side.</summary>
    private static async Task UntilNobodyIsConnectedAsync(string endpoint)
    {
        string port = int.Parse(endpoint[(endpoint.LastIndexOf(':') + 1)..]).ToString("X4");
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        bool IsConnection(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, string local, _, "01" or "08", ..]
            && local.EndsWith($":{port}", StringComparison.Ordinal);
        while (File.ReadLines("/proc/net/tcp").Any(IsConnection))
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
