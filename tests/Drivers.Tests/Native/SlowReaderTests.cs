using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>Peers that do not read what they asked for, and what that costs the process.</summary>
[Collection(nameof(Alone))]
public class SlowReaderTests
{
    [Fact]
    public async Task A_client_that_does_not_read_holds_its_slave_back_and_nobody_else()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 2, Concurrency = 1, QueueLimit = 100 };
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, engine));
        using System.Net.Sockets.Socket slow = new(System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        slow.Connect(System.Net.IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        Core.Protocol.MemorySink sink = new();
        Core.Protocol.MessageWriter.WriteEnqueue(sink, 1, "count"u8, default, bin: true);
        Core.Protocol.MessageWriter.WriteChunk(sink, 1, new Core.Protocol.Payload("20000000"u8), bin: true); // some 300 MB of answer
        Core.Protocol.MessageWriter.WriteClose(sink, 1);
        slow.Send(sink.Written);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < 200; i++)
        {
            Assert.Equal("fine", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("fine"))));
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 32 << 20);
    }

    [Fact]
    public async Task A_peer_that_does_not_read_holds_its_slave_back_and_is_disconnected_in_the_end()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 2, QueueLimit = 100 };
        AppManifest manifest = RawPeer.DotNetApp("blob", "stream", engine, keys: ("idle-timeout", 1500L));
        RunningApp app = await node.AddAsync(manifest);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using RawPeer slow = RawPeer.Connect(app);
        slow.Send("1000000000");
        slow.EndWriting();
        await app.UntilInfoShowsAsync("\"running\":1");
        using RawPeer quick = RawPeer.Connect(app);
        quick.Send("50");
        quick.EndWriting();
        Assert.Equal(50, quick.ReadToEnd().Length);
        await app.UntilInfoShowsAsync("\"stalled\":1");
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 64 << 20);
        await app.UntilInfoShowsAsync("\"cancelled\":1");
        await app.UntilInfoShowsAsync("\"running\":0");
    }
}
