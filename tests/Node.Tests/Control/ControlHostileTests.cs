using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Control;
using MessagePack;

namespace Cocaine.Fast.Node.Tests.Control;

public class ControlHostileTests
{
    [Theory]
    [InlineData("fly", "{}", 404, "no method 'fly' in control protocol 4, which this node speaks; there are create, replace, restart, ")]
    [InlineData("lst", "{}", 404, "; did you mean 'list'?")]
    [InlineData("list", "[1]", 400, "the request of list is a list, and must be a JSON object")]
    [InlineData("metrics", "{\"colour\":1}", 400, "metrics has no key 'colour' in control protocol 4, which this node speaks; it has none")]
    [InlineData("logs", "{\"app\":\"x\",\"folow\":true}", 400, "it has app, follow; did you mean 'follow'?")]
    [InlineData("list", "{\"protocol\":7,\"colour\":1}", 400,
        "this node speaks control protocol 4; the key 'colour' of list is of a newer client, which speaks 7")]
    [InlineData("list", "{\"protocol\":\"new\"}", 400, "'protocol' is the number of the control protocol that the client speaks")]
    [InlineData("list", "{\"a\\u001b[2J\\u202e\":1}", 400, "'a\\u001b[2J\\u202e'")]
    [InlineData("list", "{", 400, "the request of list is not JSON: it cannot be read from line 1, byte 2 on")]
    [InlineData("list", "null", 400, "the request of list is null, and must be a JSON object")]
    [InlineData("pause", "{}", 400, "the request of pause needs the key 'app'")]
    [InlineData("pause", "{\"app\":null}", 400, "the request of pause: 'app' is a string, not null")]
    [InlineData("pause", "{\"app\":{}}", 400, "the request of pause: 'app' is a string, not an object")]
    [InlineData("pause", "{\"app\":\"\\ud800\"}", 400, "the request of pause has a string that is no text")]
    [InlineData("logs", "{\"app\":\"x\",\"follow\":\"yes\"}", 400, "the request of logs: 'follow' is true or false, not a string")]
    [InlineData("scale", "{\"app\":\"x\",\"limit\":1.5}", 400, "the request of scale: 'limit' is a whole number, not the number 1.5")]
    [InlineData("delete", "{\"app\":\"x\",\"drain-timeout\":1e999}", 400, "'drain-timeout' is a number, not the number 1e999")]
    [InlineData("restart", "{\"app\":\"nothing\"}", 404, "no app nothing runs here")]
    [InlineData("events", "{\"app\":\"nothing\"}", 404, "no app nothing runs here")]
    [InlineData("pause", "{\"app\":\"nothing\"}", 404, "no app nothing runs here")]
    [InlineData("scale", "{\"app\":\"x\",\"limit\":\"many\"}", 400, "limit")]
    [InlineData("delete", "{\"app\":\"x\",\"drain-timeout\":-1}", 400, "a drain-timeout is 0 to")]
    [InlineData("create", "{\"manifest\":\"{}\",\"path\":\"relative.json\"}", 400, "'relative.json' is not absolute")]
    [InlineData("create", "{\"manifest\":\"{}\",\"path\":\"/a\\u0000b.json\"}", 400, "is no path, because it has a zero character")]
    [InlineData("replace", "{\"manifest\":\"{}\",\"path\":\"/\\u0000\"}", 400, "is no path, because it has a zero character")]
    [InlineData("create", "{\"manifest\":\"not json\",\"path\":\"/x/a.json\"}", 400, "/x/a.json:1:")]
    [InlineData("quarantine", "{\"action\":\"show\",\"app\":\"x\",\"id\":\"7\"}", 404, "app x has no job 7 in quarantine")]
    [InlineData("cluster", "{\"action\":\"eat\"}", 400, "this node joins no cluster")]
    [InlineData("cluster", "{\"action\":\"join\",\"engine\":7}", 400, "engine")]
    [InlineData("quarantine", "{\"action\":\"drop\"}", 400, "quarantine drop needs 'app' and 'id'")]
    [InlineData("quarantine", "{\"action\":\"eat\",\"app\":\"x\",\"id\":\"7\"}", 400, "the actions list, show, replay and drop")]
    public async Task What_is_wrong_gets_an_error_of_its_own_channel(string method, string request, int code, string says)
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint);
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync(method, request));
        Assert.Equal((1000, code), (refused.Category, refused.Code));
        Assert.Contains(says, refused.Message);
        Assert.DoesNotContain("Cocaine.Fast.", refused.Message);
        Assert.DoesNotContain("System.", refused.Message);
        Assert.Equal("[]", await client.TextAsync("list")); // the connection is good
    }

    [Fact]
    public async Task No_answer_to_a_strange_request_names_a_type_of_the_program()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint);
        string[] values = ["null", "true", "-1", "1e999", "99999999999999999999", "\"\"", "\"x\"", "\"\\ud800\"", "[]", "{}", "{\"a\":[[]]}"];
        string[] keys = ["app", "manifest", "path", "force", "wait", "drain-timeout", "minimum", "limit", "follow", "action", "id", "protocol"];
        List<string> requests = ["[", "{\"a\"", "\"", "nul", "{\"a\":1,}", "{} {}", "// x", new string('[', 100), "\u00ff", "{\"\\ud800\":1}"];
        requests.AddRange(keys.SelectMany(key => values.Select(value => $"{{\"{key}\":{value}}}")));
        requests.AddRange(keys.SelectMany(key => values.Select(value => $"{{\"app\":\"x\",\"action\":\"show\",\"id\":\"1\",\"{key}\":{value}}}")));
        foreach (string method in ControlMethods.Names.Append("none"))
        {
            foreach (string request in requests.Where(one => !one.Contains("\"follow\":true"))) // an answer without end
            {
                string answer;
                try
                {
                    answer = await client.TextAsync(method, request);
                }
                catch (CocaineException refused)
                {
                    Assert.True(refused.Code is 400 or 404, $"{method} {request}: {refused.Code} {refused.Message}");
                    answer = refused.Message;
                }

                Assert.False(answer.Contains("Cocaine.Fast.") || answer.Contains("System."), $"{method} {request}: {answer}");
            }
        }
    }

    [Fact]
    public async Task A_client_learns_what_the_node_speaks()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint);
        string answer = (await client.TextAsync("version")).Replace("\\u002B", "+", StringComparison.Ordinal); // one way to write it
        Assert.Equal($$"""{"protocol":4,"version":"{{ProductVersion.Text}}"}""", answer);
        Assert.Equal(NodeVersion.Own, await node.Client.VersionAsync());
        Assert.Empty(await node.Client.ListAsync()); // and the requests after it say what the client speaks
        Assert.Equal("[]", await client.TextAsync("list", "{\"protocol\":99}"));
    }

    [Fact]
    public async Task A_request_without_end_is_refused_and_half_a_call_costs_nothing()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint);
        await using (ClientCall endless = client.Open("create"))
        {
            CocaineException refused = await Assert.ThrowsAsync<CocaineException>(async () =>
            {
                byte[] chunk = new byte[1 << 20];
                for (int i = 0; i < 9; i++)
                {
                    await endless.WriteAsync(chunk);
                }

                await endless.ReadAsync();
            });
            Assert.Equal(413, refused.Code);
        }

        await using (client.Open("create"))
        {
        }

        await using (CocaineClient leaves = await CocaineClient.ConnectAsync(node.Endpoint))
        {
            await using ClientCall watching = leaves.Open("events");
            await watching.WriteAsync(Encoding.UTF8.GetBytes("{\"follow\":true}"));
            await watching.CompleteAsync();
        }

        Assert.Equal("[]", await client.TextAsync("list"));
    }

    [Fact]
    public async Task What_is_no_message_ends_its_connection_alone_and_strange_messages_get_errors()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        using (Socket garbage = Connect(node))
        {
            garbage.Send([0xc1, 0xc1, 0xc1]);
            garbage.ReceiveTimeout = 30_000;
            Assert.Equal(0, garbage.Receive(new byte[64]));
        }

        using Socket strange = Connect(node);
        MemorySink sink = new();
        MessageWriter.WriteEmpty(sink, 1, 5);
        MessageWriter.WriteEmpty(sink, 2, 0);
        MessageWriter.WriteClose(sink, 3);
        strange.Send(sink.Written);
        List<string> answers = [];
        byte[] buffer = new byte[4096];
        int length = 0;
        strange.ReceiveTimeout = 30_000;
        while (answers.Count < 3)
        {
            length += strange.Receive(buffer.AsSpan(length));
            answers.Clear();
            MessagePackReader reader = new(buffer.AsMemory(0, length));
            while (!reader.End)
            {
                long start = reader.Consumed;
                reader.Skip();
                answers.Add(MessagePackSerializer.ConvertToJson(buffer.AsMemory((int)start, (int)(reader.Consumed - start))));
            }
        }

        Assert.All(answers, answer => Assert.Contains("[1000,400]", answer));
        Assert.Empty(await node.Client.ListAsync());
    }

    private static Socket Connect(ControlledNode node)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(node.Endpoint["ipc://".Length..]));
        return socket;
    }
}
