using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Tests.Reload;
using MessagePack;

namespace Cocaine.Fast.Node.Tests.Control;

public class ControlHostileTests
{
    [Theory]
    [InlineData("fly", "{}", 404, "no such method; there are create, replace, delete")]
    [InlineData("list", "[1]", 400, "the request of list is no JSON object of its kind")]
    [InlineData("list", "{\"colour\":1}", 400, "colour")]
    [InlineData("list", "{", 400, "the request of list is no JSON object of its kind")]
    [InlineData("list", "null", 400, "the request of list is no JSON object of its kind")]
    [InlineData("pause", "{}", 400, "app")]
    [InlineData("pause", "{\"app\":null}", 400, "app")]
    [InlineData("pause", "{\"app\":\"nothing\"}", 404, "no app nothing runs here")]
    [InlineData("scale", "{\"app\":\"x\",\"limit\":\"many\"}", 400, "limit")]
    [InlineData("delete", "{\"app\":\"x\",\"drain-timeout\":-1}", 400, "a drain-timeout is 0 to")]
    [InlineData("create", "{\"manifest\":\"{}\",\"path\":\"relative.json\"}", 400, "'relative.json' is not absolute")]
    [InlineData("create", "{\"manifest\":\"not json\",\"path\":\"/x/a.json\"}", 400, "/x/a.json:1:")]
    [InlineData("quarantine", "{\"action\":\"show\",\"app\":\"x\",\"id\":\"7\"}", 404, "app x has no job 7 in quarantine")]
    [InlineData("quarantine", "{\"action\":\"drop\"}", 400, "quarantine drop needs 'app' and 'id'")]
    [InlineData("quarantine", "{\"action\":\"eat\",\"app\":\"x\",\"id\":\"7\"}", 400, "the actions list, show, replay and drop")]
    public async Task What_is_wrong_gets_an_error_of_its_own_channel(string method, string request, int code, string says)
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        await using CocaineClient client = await CocaineClient.ConnectAsync(node.Endpoint);
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync(method, request));
        Assert.Equal((1000, code), (refused.Category, refused.Code));
        Assert.Contains(says, refused.Message);
        Assert.Equal("[]", await client.TextAsync("list")); // the connection is good
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
