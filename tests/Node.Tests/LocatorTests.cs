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
        Assert.StartsWith("[1,1,[[1000,400],", await AskAsync(node, sink => MessageWriter.WriteEmpty(sink, 1, 5)),
            StringComparison.Ordinal);
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
