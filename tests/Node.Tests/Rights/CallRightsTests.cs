using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Rights;

/// <summary>Which peers may call which events, at the doors of native-servers, native-sinks, raw-servers and ZeroMQ tasks.</summary>
public class CallRightsTests
{
    private const string Who = "error 401 this door wants to know who calls: a client certificate, a sealed request or a token";

    private static readonly string Me =
        $$"""{ "identities": { "me": { "user": "{{Security.OwnUser}}" } }, "rights": [ { "who": "me", "call": { "dotnet-echo": "echo" } } ] }""";

    [Fact]
    public async Task Without_rules_everybody_may_call()
    {
        await using TestNode node = TestNode.Start();
        using NativePeer peer = await ConnectAsync(node, "tcp://127.0.0.1:0");
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
    }

    [Fact]
    public async Task With_rules_a_loopback_address_gives_no_rights_of_its_own()
    {
        await using TestNode node = TestNode.Start(security: Security.Of(Me));
        using NativePeer peer = await ConnectAsync(node, "tcp://127.0.0.1:0");
        Assert.Equal(Who, peer.Ask(1, "echo"));
        Assert.Equal(Who, peer.Ask(2, "nowhere")); // a stranger does not learn which events there are
        peer.Send(0x93, 3, 1, 0x90); // info
        Assert.Equal("3 " + Who, peer.Read());
        Assert.Contains("denied who=@loopback by=nothing peer=127.0.0.1:", node.Log);
        Assert.Contains("door=dotnet-echo/event action=call app=dotnet-echo event=echo rule=none", node.Log);
    }

    [Fact]
    public async Task A_rule_for_loopback_holds_there_and_not_on_a_unix_socket()
    {
        await using TestNode node = TestNode.Start(
            security: Security.Of("""{ "rights": [ { "who": "@loopback", "call": { "dotnet-*": ["e*"] } } ] }"""));
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0", $"ipc://{folder.Path}/app.sock"]));
        using NativePeer tcp = NativePeer.Connect(app.Endpoints[0].Endpoint), unix = NativePeer.Connect(app.Endpoints[1].Endpoint);
        Assert.Equal("chunk x", tcp.Ask(1, "echo"));
        Assert.Equal(Who, tcp.Ask(2, "reverse"));
        Assert.StartsWith("error 404 no such event here; events here: echo, reverse", tcp.Ask(3, "ecco"));
        Assert.Equal(Who, unix.Ask(1, "echo"));
    }

    [Fact]
    public async Task A_user_is_known_on_a_unix_socket_and_may_do_only_what_a_rule_says()
    {
        await using TestNode node = TestNode.Start(security: Security.Of(Me));
        using TestFolder folder = new();
        using NativePeer peer = await ConnectAsync(node, $"ipc://{folder.Path}/app.sock");
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
        Assert.Equal("error 403 me may not call 'reverse' of dotnet-echo", peer.Ask(2, "reverse"));
        Assert.Contains($"denied who=me by=user peer=user:{Security.OwnUser} door=dotnet-echo/event action=call", node.Log);
    }

    [Fact]
    public async Task A_user_without_any_right_on_the_app_does_not_learn_its_events()
    {
        await using TestNode node = TestNode.Start(security: Security.Of(
            $$"""{ "identities": { "me": { "user": "{{Security.OwnUser}}" } }, "rights": [ { "who": "me", "call": { "other": "*" } } ] }"""));
        using TestFolder folder = new();
        using NativePeer peer = await ConnectAsync(node, $"ipc://{folder.Path}/app.sock");
        Assert.Equal("error 403 me may not call 'drop' of dotnet-echo", peer.Ask(1, "drop"));
        peer.Send(0x93, 2, 1, 0x90);
        Assert.Equal("2 error 403 me may not see dotnet-echo", peer.Read());
    }

    [NetworkFact]
    public async Task A_peer_of_the_network_needs_a_rule_for_anyone()
    {
        string address = Security.NetworkAddress!.ToString();
        foreach ((string who, string answer) in new[] { ("@loopback", Who), ("@local", Who), ("@anyone", "chunk x") })
        {
            await using TestNode node = TestNode.Start(
                security: Security.Of($$"""{ "rights": [ { "who": "{{who}}", "call": { "*": "*" } } ] }"""));
            using NativePeer peer = await ConnectAsync(node, $"tcp://{address}:0");
            Assert.Equal(answer, peer.Ask(1, "echo"));
            Assert.DoesNotContain("nobody asks who calls", node.Log);
        }
    }

    [Fact]
    public async Task A_token_counts_on_a_unix_socket_and_is_refused_where_others_can_read_it()
    {
        await using TestNode node = TestNode.Start(security: Security.Of(
            $$"""{ "identities": { "batch": { "token": "{{Security.Kept("t0ken")}}" } }, "rights": [ { "who": "batch", "call": { "*": "echo" } } ] }"""));
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0", $"ipc://{folder.Path}/app.sock"]));
        using NativePeer tcp = NativePeer.Connect(app.Endpoints[0].Endpoint), unix = NativePeer.Connect(app.Endpoints[1].Endpoint);
        unix.Send(NativePeer.Call(1, "echo", "a", "authorization", "Bearer t0ken"));
        Assert.Equal("chunk a", unix.Answer());
        Assert.Equal(Who, unix.Ask(2, "echo")); // a token is of its call alone
        unix.Send(NativePeer.Call(3, "reverse", "a", "Authorization", "bearer t0ken"));
        Assert.Equal("error 403 batch may not call 'reverse' of dotnet-echo", unix.Answer());
        unix.Send(NativePeer.Call(4, "echo", "a", "authorization", "Bearer t0kem"));
        Assert.Equal("error 401 your token belongs to nobody known here", unix.Answer());
        tcp.Send(NativePeer.Call(1, "echo", "a", "authorization", "Bearer t0ken"));
        Assert.StartsWith("error 401 a token is taken only over TLS or a Unix socket", tcp.Answer());
        Assert.Contains("denied who=batch by=token", node.Log);
        Assert.DoesNotContain("t0ken", node.Log);
    }

    [Fact]
    public async Task A_token_and_a_user_of_two_identities_are_refused()
    {
        await using TestNode node = TestNode.Start(security: Security.Of($$"""
            { "identities": { "me": { "user": "{{Security.OwnUser}}" }, "batch": { "token": "{{Security.Kept("t0ken")}}" } },
              "rights": [ { "who": ["me", "batch"], "call": { "*": "*" } } ] }
            """));
        using TestFolder folder = new();
        using NativePeer peer = await ConnectAsync(node, $"ipc://{folder.Path}/app.sock");
        Assert.Equal("chunk x", peer.Ask(1, "echo"));
        peer.Send(NativePeer.Call(2, "echo", "a", "authorization", "Bearer t0ken"));
        Assert.Equal("error 401 your token and your connection are of two different callers", peer.Answer());
    }

    [Fact]
    public async Task A_task_can_only_narrow_its_callers()
    {
        await using TestNode node = TestNode.Start(
            security: Security.Of("""{ "rights": [ { "who": "@loopback", "call": { "*": "*" } } ] }"""));
        RunningApp app = await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0"], "event", ("allow", (string[])["@local"])));
        using NativePeer peer = NativePeer.Connect(app.Endpoints[0].Endpoint);
        Assert.Equal(Who, peer.Ask(1, "echo"));
        NodeException refused = await Assert.ThrowsAsync<NodeException>(() => node.AddAsync(
            Security.App("native-server", ["tcp://127.0.0.1:0"], "event", ("allow", (string[])["biling"])) with { Name = "other" }));
        Assert.Equal("app other: task event: 'allow' names 'biling', which is none of security.identities in the node's config", refused.Message);
    }

    [Fact]
    public async Task A_narrowed_task_is_narrow_on_a_node_without_rules_too()
    {
        await using TestNode node = TestNode.Start();
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(Security.App(
            "native-server", ["tcp://127.0.0.1:0", $"ipc://{folder.Path}/app.sock"], "event", ("allow", (string[])["@local"])));
        using NativePeer tcp = NativePeer.Connect(app.Endpoints[0].Endpoint), unix = NativePeer.Connect(app.Endpoints[1].Endpoint);
        Assert.Equal(Who, tcp.Ask(1, "echo"));
        Assert.Equal("chunk x", unix.Ask(1, "echo"));
    }

    [Theory]
    [InlineData("@loopback", "x")]
    [InlineData("@local", null)]
    public async Task Lines_of_a_raw_server_are_calls_of_its_task(string who, string? answer)
    {
        await using TestNode node = TestNode.Start(
            security: Security.Of($$"""{ "rights": [ { "who": "{{who}}", "call": { "dotnet-echo": "echo" } } ] }"""));
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "line"));
        using RawPeer peer = RawPeer.Connect(app);
        peer.Send("x\n");
        string line = peer.ReadLine();
        if (answer is null)
        {
            Assert.Contains("401", line);
            Assert.Contains("this door wants to know who calls", line);
        }
        else
        {
            Assert.Equal(answer, line);
        }
    }

    [Fact]
    public async Task A_stream_of_a_raw_server_without_a_right_is_reset_and_makes_no_job()
    {
        await using TestNode node = TestNode.Start(security: Security.Of(Me));
        RunningApp app = await node.AddAsync(RawPeer.DotNetApp("echo", "stream"));
        using RawPeer peer = RawPeer.Connect(app);
        Assert.ThrowsAny<Exception>(() => peer.ReadToEnd());
        Assert.Contains("door=dotnet-echo/echo action=call app=dotnet-echo event=echo rule=none", node.Log);
        Assert.Equal(0UL, app.Engine.Counters.LastJobId);
    }

    [NeedsFact("python3", "python3-zmq")]
    public async Task A_peer_of_ZeroMQ_has_the_rights_of_its_place()
    {
        foreach ((string who, string answer) in new[] { ("@loopback", "x"), ("@local", "401") })
        {
            await using TestNode node = TestNode.Start(
                security: Security.Of($$"""{ "rights": [ { "who": "{{who}}", "call": { "dotnet-echo": "echo" } } ] }"""));
            RunningApp app = await node.AddAsync(Security.App("zeromq-server", ["tcp://127.0.0.1:0"], "echo"));
            using ZeroMqPeer peer = new();
            await peer.OpenAsync("s", "REQ", app.Endpoints[0].Endpoint);
            await peer.SendTextAsync("s", "x");
            Assert.Contains(answer, string.Join(' ', await peer.ReceiveTextAsync("s")));
        }
    }

    [Fact]
    public async Task The_rate_of_an_identity_holds_for_all_of_its_connections()
    {
        await using TestNode node = TestNode.Start(security: Security.Of($$"""
            { "identities": { "me": { "user": "{{Security.OwnUser}}", "rate": 2 } }, "rights": [ { "who": "me", "call": { "*": "*" } } ] }
            """));
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(Security.App("native-server", [$"ipc://{folder.Path}/app.sock"]));
        using NativePeer first = NativePeer.Connect(app.Endpoints[0].Endpoint), second = NativePeer.Connect(app.Endpoints[0].Endpoint);
        first.Send([.. NativePeer.Call(1, "echo", "a"), .. NativePeer.Call(2, "echo", "b"), .. NativePeer.Call(3, "echo", "c")]);
        string[] read = [first.Read(), first.Read(), first.Read(), first.Read(), first.Read()];
        Assert.Contains("3 error 503 me is over its 2 calls/s", read);
        Assert.Equal("error 503 me is over its 2 calls/s", second.Ask(1, "echo"));
        Assert.Contains("reason=rate", node.Log);
    }

    [Fact]
    public async Task The_rate_of_an_identity_holds_for_calls_with_its_token()
    {
        await using TestNode node = TestNode.Start(security: Security.Of($$"""
            { "identities": { "batch": { "token": "{{Security.Kept("t0ken")}}", "rate": 1 } }, "rights": [ { "who": "batch", "call": { "*": "*" } } ] }
            """));
        using TestFolder folder = new();
        using NativePeer peer = await ConnectAsync(node, $"ipc://{folder.Path}/app.sock");
        byte[] first = NativePeer.Call(1, "echo", "a", "authorization", "Bearer t0ken"), second = NativePeer.Call(2, "echo", "b", "authorization", "Bearer t0ken");
        peer.Send([.. first, .. second]);
        string[] read = [peer.Read(), peer.Read(), peer.Read()];
        Assert.Contains("2 error 503 batch is over its 1 calls/s", read);
    }

    [Fact]
    public async Task The_connections_of_an_identity_have_a_bound_and_those_that_have_gone_do_not_count()
    {
        await using TestNode node = TestNode.Start(security: Security.Of($$"""
            { "identities": { "me": { "user": "{{Security.OwnUser}}", "connections": 1 } }, "rights": [ { "who": "me", "call": { "*": "*" } } ] }
            """));
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(Security.App("native-server", [$"ipc://{folder.Path}/app.sock"]));
        NativePeer first = NativePeer.Connect(app.Endpoints[0].Endpoint);
        Assert.Equal("chunk x", first.Ask(1, "echo"));
        using NativePeer second = NativePeer.Connect(app.Endpoints[0].Endpoint);
        second.Send(NativePeer.Call(7, "echo", "x"));
        Assert.Equal("7 error 503 me has its 1 connections already", second.Read());
        Assert.Equal("end", second.Read());
        first.Dispose();
        string answer;
        do
        {
            using NativePeer third = NativePeer.Connect(app.Endpoints[0].Endpoint); // the node may not have seen the end of the first one yet
            answer = third.Ask(1, "echo");
        }
        while (answer.Contains("already", StringComparison.Ordinal));
        Assert.Equal("chunk x", answer);
    }

    [Fact]
    public async Task The_locator_tells_of_an_app_only_to_those_that_may_use_it()
    {
        foreach ((string rule, bool isTold) in new[] { ("\"call\": { \"dotnet-echo\": \"none\" }", true), ("\"locate\": \"dotnet-*\"", true), ("\"locate\": \"x\"", false) })
        {
            await using TestNode node = TestNode.Start(
                "tcp://127.0.0.1:0", security: Security.Of($$"""{ "rights": [ { "who": "@loopback", {{rule}} } ] }"""));
            await node.AddAsync(Security.App("native-server", ["tcp://127.0.0.1:0"]));
            using NativePeer peer = NativePeer.Connect(node.Node.LocatorEndpoints[0]);
            peer.Send([.. NativePeer.Opening(1, 0xda, 11), .. "dotnet-echo"u8]);
            string answer = peer.Read();
            if (isTold)
            {
                Assert.DoesNotContain("error", answer);
            }
            else
            {
                Assert.Equal("1 error 1 no service named dotnet-echo here", answer);
                Assert.Contains("door=locator action=locate app=dotnet-echo rule=none", node.Log);
            }
        }
    }

    private static async Task<NativePeer> ConnectAsync(TestNode node, string endpoint) =>
        NativePeer.Connect((await node.AddAsync(Security.App("native-server", [endpoint]))).Endpoints[0].Endpoint);
}
