using System.Net.Sockets;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using MessagePack;

namespace Cocaine.Fast.Node.Tests;

public class LocatorTests
{
    [Fact]
    public async Task It_resolves_apps_and_tasks_and_says_at_once_what_it_does_not_know()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        int port = int.Parse(app.Endpoints[0].Endpoint.Split(':')[^1], System.Globalization.CultureInfo.InvariantCulture);
        string api = "{\"0\":[\"enqueue\",{\"0\":[\"write\",null],\"1\":[\"error\",{}],\"2\":[\"close\",{}]},{\"0\":[\"write\",null],\"1\":[\"error\",{}],\"2\":[\"close\",{}]}],"
            + "\"1\":[\"info\",{},{\"0\":[\"value\",{}],\"1\":[\"error\",{}]}]}";
        foreach (string name in (string[])["dotnet-echo", "dotnet-echo/event"])
        {
            Assert.Equal($"[2,0,[[[\"127.0.0.1\",{port}]],1,{api}]]", await AskAsync(node, sink =>
                MessageWriter.WriteEnqueue(sink, 2, System.Text.Encoding.UTF8.GetBytes(name), default, bin: false)));
        }

        Assert.StartsWith("[5,1,[[10,1],",
            await AskAsync(node, sink => MessageWriter.WriteEnqueue(sink, 5, "logging"u8, default, bin: false)), StringComparison.Ordinal);
        Assert.StartsWith("[1,0,[\"", await AskAsync(node, sink => MessageWriter.WriteEmpty(sink, 1, 6)), StringComparison.Ordinal);
        Assert.StartsWith("[1,0,[{\"", await AskAsync(node, sink => MessageWriter.WriteEmpty(sink, 1, 3)), StringComparison.Ordinal);
        Assert.StartsWith("[1,1,[[1000,400],", await AskAsync(node, sink => MessageWriter.WriteEmpty(sink, 1, 4)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_of_routing_groups_says_once_that_there_are_none_and_stays_open()
    {
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        using TcpClient balancer = Connect(node);
        using NetworkStream stream = balancer.GetStream();
        MemorySink sink = new();
        MessageWriter.WriteEmpty(sink, 1, 5);
        stream.Write(sink.Written);
        Assert.Equal("[1,0,[{}]]", await ReadAsync(stream));
        await Task.Delay(TimeSpan.FromSeconds(11)); // a connection that only asks is closed after 10 s of silence
        sink = new MemorySink();
        MessageWriter.WriteEmpty(sink, 2, 6);
        stream.Write(sink.Written);
        Assert.StartsWith("[2,0,[\"", await ReadAsync(stream), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Streams_of_routing_groups_have_a_bound_and_those_that_have_gone_do_not_count()
    {
        const int Most = 256, OfOne = 64;
        await using TestNode node = TestNode.Start("tcp://127.0.0.1:0");
        for (int round = 0; round < 2; round++)
        {
            List<TcpClient> balancers = [];
            for (int i = 0; i <= Most; i++)
            {
                TcpClient balancer = Connect(node, $"127.0.0.{2 + (i / OfOne)}");
                balancers.Add(balancer);
                MemorySink sink = new();
                MessageWriter.WriteEmpty(sink, 1, 5);
                balancer.GetStream().Write(sink.Written);
                string answer = await ReadAsync(balancer.GetStream());
                Assert.StartsWith(i < Most ? "[1,0,[{}]]" : "[1,1,[[1000,503],", answer, StringComparison.Ordinal);
            }

            foreach (TcpClient balancer in balancers)
            {
                balancer.LingerState = new LingerOption(true, 0); // gone at once
                balancer.Dispose();
            }

            while (node.Node.LocatorConnections > 0)
            {
                await Task.Yield();
            }
        }
    }

    /// <summary>A client of Cocaine 0.11 resolves a service by a message that begins with 0, and waits for the answer without an end.</summary>
    [Fact]
    public async Task A_client_of_0_11_is_told_that_it_speaks_another_protocol_at_every_door()
    {
        await using ControlledNode controlled = await ControlledNode.StartAsync(locator: "tcp://127.0.0.1:0");
        TestNode node = controlled.Node;
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        foreach (string door in (string[])[node.Node.LocatorEndpoints[0], app.Endpoints[0].Endpoint, controlled.Endpoint])
        {
            using Socket socket = await ConnectAsync(door);
            using NetworkStream stream = new(socket);
            stream.Write([0x93, 0, 1, 0x91, 0xa7, .. "logging"u8]);
            using MemoryStream all = new();
            await stream.CopyToAsync(all).WaitAsync(TimeSpan.FromSeconds(5)); // the end of the connection
            byte[] answer = all.ToArray();
            Assert.StartsWith("[5,1,[400,\"channels are numbered from 1: a message that begins with 0 is of Cocaine 0.11, and this node speaks protocol 1 of Cocaine 0.12",
                MessagePackSerializer.ConvertToJson(answer), StringComparison.Ordinal);
            int second = 6 + 3 + 128; // the head of the answer and its text
            Assert.Contains("Cocaine 0.12", System.Text.Encoding.UTF8.GetString(answer.AsSpan(Math.Min(second, answer.Length))), StringComparison.Ordinal);
        }
    }

    private static async Task<Socket> ConnectAsync(string endpoint)
    {
        System.Net.EndPoint at = Transport.Sockets.Endpoint.Parse(endpoint).ConnectAddresses()[0];
        Socket socket = new(at.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(at);
        return socket;
    }

    private static TcpClient Connect(TestNode node, string from = "127.0.0.1")
    {
        TcpClient client = new(new System.Net.IPEndPoint(System.Net.IPAddress.Parse(from), 0));
        client.Connect(System.Net.IPEndPoint.Parse(node.Node.LocatorEndpoints[0]["tcp://".Length..]));
        return client;
    }

    private static async Task<string> ReadAsync(NetworkStream stream)
    {
        byte[] buffer = new byte[4096];
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5));
        int count = await stream.ReadAsync(buffer, limit.Token);
        return MessagePackSerializer.ConvertToJson(buffer.AsMemory(0, count).ToArray(), cancellationToken: limit.Token);
    }

    /// <summary>A connection per question, as public clients do it; the answer as JSON.</summary>
    private static async Task<string> AskAsync(TestNode node, Action<MessageSink> write)
    {
        string[] address = node.Node.LocatorEndpoints[0]["tcp://".Length..].Split(':');
        using TcpClient client = new(address[0], int.Parse(address[1], System.Globalization.CultureInfo.InvariantCulture));
        MemorySink sink = new();
        write(sink);
        client.Client.Send(sink.Written);
        byte[] buffer = new byte[4096];
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(5));
        int count = await client.Client.ReceiveAsync(buffer, limit.Token);
        return MessagePackSerializer.ConvertToJson(buffer.AsMemory(0, count).ToArray(), cancellationToken: limit.Token);
    }
}
