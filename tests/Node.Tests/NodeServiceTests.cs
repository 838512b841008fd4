using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using MessagePack;

namespace Cocaine.Fast.Node.Tests;

/// <summary>The service <c>node</c> as cocaine-tool uses it: found by the locator, and called by the numbers that the locator gives.</summary>
public sealed class NodeServiceTests : IAsyncLifetime
{
    private readonly TestNode _node = TestNode.Start("tcp://127.0.0.1:0", nodeService: "tcp://127.0.0.1:0");
    private RunningApp _app = null!;
    private MessagePeer _tool = null!;
    private ulong _channel;

    public async Task InitializeAsync()
    {
        _app = await _node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer locator = await ConnectAsync(_node.Node.LocatorEndpoints[0]);
        await locator.SendAsync(sink => MessageWriter.WriteEnqueue(sink, 1, "node"u8, default, bin: false));
        string found = MessagePackSerializer.ConvertToJson((await locator.ReadAsync())!.Data);
        string[] at = _node.Node.NodeServiceEndpoints[0]["tcp://".Length..].Split(':');
        string api = string.Join(',', ((string[])["start_app", "pause_app", "list", "info"]).Select(
            (name, i) => $"\"{i}\":[\"{name}\",{{}},{{\"0\":[\"value\",{{}}],\"1\":[\"error\",{{}}]}}]"));
        Assert.Equal($"[[[\"{at[0]}\",{at[1]}]],1,{{{api}}}]", found);
        _tool = await ConnectAsync(_node.Node.NodeServiceEndpoints[0]);
    }

    public async Task DisposeAsync()
    {
        _tool.Dispose();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task Apps_are_listed_looked_at_paused_and_started_again()
    {
        await using CocaineClient client = await TestNode.ConnectAsync(_app);
        Assert.Equal("[[\"dotnet-echo\"]]", await AskAsync(2));
        Assert.Contains("\"state\":\"running\"", await AskAsync(3, "dotnet-echo"), StringComparison.Ordinal);
        Assert.Equal("[]", await AskAsync(1, "dotnet-echo"));
        Assert.Equal("[[]]", await AskAsync(2));
        Assert.Contains("\"state\":\"paused\"", await AskAsync(3, "dotnet-echo"), StringComparison.Ordinal);
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("x")))).Code);
        Assert.Equal("[]", await AskAsync(0, "dotnet-echo", "default"));
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
    }

    [Fact]
    public void A_tool_over_the_bound_has_its_question_refused_on_the_channel_of_the_question()
    {
        string at = _node.Node.NodeServiceEndpoints[0];
        List<NativePeer> tools = [.. Enumerable.Range(0, 63).Select(_ => NativePeer.Connect(at))];
        using NativePeer tooMany = NativePeer.Connect(at);
        tooMany.Send([0x93, 5, 2, 0x90]);
        Assert.Equal("5 error 503 the service node has too many connections", tooMany.Read());
        Assert.Equal("end", tooMany.Read());
        tools.ForEach(tool => tool.Dispose());
    }

    [Fact]
    public async Task What_is_no_question_gets_an_error_and_the_next_one_an_answer()
    {
        Assert.Equal("1000 404 no app with this name runs here", await AskAsync(0, "none", "default"));
        Assert.Equal("1000 404 no app with this name runs here", await AskAsync(1, "none"));
        Assert.Equal("1000 404 no app with this name runs here", await AskAsync(3, "\e[2J"));
        Assert.Equal("1000 400 the first argument is the name of an app", await AskAsync(1));
        Assert.Equal(
            "1000 400 the service node has the methods 0 (start_app), 1 (pause_app), 2 (list) and 3 (info)", await AskAsync(9, "dotnet-echo"));
        Assert.StartsWith("1000 413 ", await AskAsync(1, new string('n', 300)), StringComparison.Ordinal);
        Assert.Equal("[[\"dotnet-echo\"]]", await AskAsync(2));
    }

    [Fact]
    public async Task With_rules_a_caller_uses_the_methods_on_the_apps_that_a_rule_for_control_gives()
    {
        await using TestNode node = TestNode.Start(nodeService: "tcp://127.0.0.1:0", security: Rights.Security.Of("""
            { "rights": [ { "who": "@loopback", "control": ["list", "info", "pause"], "apps": "dotnet*" } ] }
            """));
        await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await node.AddAsync(TestApps.DotNet(BackendType.Thread) with { Name = "hidden" });
        _tool.Dispose();
        _tool = await ConnectAsync(node.Node.NodeServiceEndpoints[0]);
        Assert.Equal("[[\"dotnet-echo\"]]", await AskAsync(2));
        Assert.Contains("\"state\":\"running\"", await AskAsync(3, "dotnet-echo"), StringComparison.Ordinal);
        Assert.StartsWith("1000 401 ", await AskAsync(3, "hidden"), StringComparison.Ordinal);
        Assert.StartsWith("1000 401 ", await AskAsync(1, "hidden"), StringComparison.Ordinal);
        Assert.StartsWith("1000 401 ", await AskAsync(0, "dotnet-echo", "default"), StringComparison.Ordinal);
        Assert.Equal("[]", await AskAsync(1, "dotnet-echo"));
        Assert.Contains("denied who=@loopback", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rules_that_change_hold_for_a_tool_that_is_connected()
    {
        await using TestNode node = TestNode.Start(nodeService: "tcp://127.0.0.1:0", security: Rights.Security.Of(Rule("list")));
        await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        _tool.Dispose();
        _tool = await ConnectAsync(node.Node.NodeServiceEndpoints[0]);
        Assert.Equal("[[\"dotnet-echo\"]]", await AskAsync(2));
        await node.Node.ChangeRulesAsync(Rights.Security.Of(Rule("info")));
        Assert.StartsWith("1000 401 ", await AskAsync(2), StringComparison.Ordinal);
        Assert.Contains("\"state\":\"running\"", await AskAsync(3, "dotnet-echo"), StringComparison.Ordinal);
        await node.Node.ChangeRulesAsync(Rights.Security.Of(Rule("list")));
        Assert.Equal("[[\"dotnet-echo\"]]", await AskAsync(2));

        static string Rule(string verb) => $$"""{ "rights": [ { "who": "@loopback", "control": "{{verb}}" } ] }""";
    }

    [Fact]
    public async Task The_connections_of_an_identity_have_their_bound_here_too_and_end_when_nobody_knows_it_any_more()
    {
        using TestFolder folder = new();
        string at = $"ipc://{folder["node.sock"]}";
        const string Rule = """ "rights": [ { "who": "@local", "control": "list" } ] """;
        string known = $$"""{ "identities": { "me": { "user": "{{Rights.Security.OwnUser}}", "connections": 1 } }, {{Rule}} }""";
        await using TestNode node = TestNode.Start(nodeService: at, security: Rights.Security.Of(known));
        using (NativePeer first = NativePeer.Connect(at), second = NativePeer.Connect(at))
        {
            first.Send([0x93, 1, 2, 0x90]);
            Assert.StartsWith("1 chunk", first.Read(), StringComparison.Ordinal);
            second.Send([0x93, 7, 2, 0x90]);
            Assert.Equal("7 error 503 me has its 1 connections already", second.Read());
            Assert.Equal("end", second.Read());
            await node.Node.ChangeRulesAsync(Rights.Security.Of($"{{ {Rule} }}"));
            Assert.Equal("end", first.Read());
        }

        Assert.Contains("door=node-service action=connect reason=connections", node.Log, StringComparison.Ordinal);
        Assert.Contains("door=node-service action=connect reason=rules-changed", node.Log, StringComparison.Ordinal);
        await node.Node.ChangeRulesAsync(Rights.Security.Of(known));
        using NativePeer third = NativePeer.Connect(at);
        third.Send([0x93, 9, 2, 0x90]);
        Assert.StartsWith("9 chunk", third.Read(), StringComparison.Ordinal); // the first one does not count any more
    }

    [Theory]
    [InlineData("without rules")]
    [InlineData("nobody")]
    [InlineData("other user")]
    [InlineData("user of an identity")]
    public async Task The_page_of_security_says_what_the_door_answers(string peer)
    {
        using TestFolder folder = new();
        string at = peer.Contains("user") ? $"ipc://{folder["node.sock"]}" : "tcp://127.0.0.1:0";
        string user = peer == "user of an identity" ? $"{Rights.Security.OwnUser}" : "47115";
        await using TestNode node = TestNode.Start(nodeService: at, security: peer == "without rules" ? null : Rights.Security.Of($$"""
            { "identities": { "me": { "user": "{{user}}" } }, "rights": [ { "who": "me", "control": "*" } ] }
            """));
        using NativePeer tool = NativePeer.Connect(node.Node.NodeServiceEndpoints[0]);
        tool.Send([0x93, 1, 2, 0x90]);
        string answer = tool.Read();
        Assert.Equal(DoorTable.Cell("service node", peer), answer.StartsWith("1 error 401", StringComparison.Ordinal) ? "401" : answer.Contains("chunk") ? "yes" : answer);
    }

    [Fact]
    public async Task A_node_without_the_service_says_that_there_is_none()
    {
        await using TestNode other = TestNode.Start("tcp://127.0.0.1:0");
        using MessagePeer locator = await ConnectAsync(other.Node.LocatorEndpoints[0]);
        await locator.SendAsync(sink => MessageWriter.WriteEnqueue(sink, 1, "node"u8, default, bin: false));
        Received answer = (await locator.ReadAsync())!;
        Assert.Equal((10, 1), (answer.Category, answer.Code));
    }

    private async Task<string> AskAsync(byte method, params string[] arguments)
    {
        ulong channel = ++_channel;
        await _tool.SendAsync([0x93, (byte)channel, method, .. MessagePackSerializer.Serialize(arguments)]);
        Received answer = (await _tool.ReadAsync())!;
        Assert.Equal(channel, answer.Channel);
        return answer.Type == MessageType.Error ? $"{answer.Category} {answer.Code} {answer.Text}"
            : MessagePackSerializer.ConvertToJson(answer.Data);
    }

    private static async Task<MessagePeer> ConnectAsync(string endpoint)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(endpoint["tcp://".Length..]));
        return new MessagePeer(socket);
    }
}
