using System.Text;
using Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;
using Cocaine.Fast.Node.Apps;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Sockets of libzmq and of NetMQ, and peers of the versions that neither speaks any more.</summary>
public sealed class RealPeersTests
{
    private const string Echo = """{ "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }""";

    [Fact]
    public async Task NetMQ_sockets_of_each_type_are_served()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" }, "nothing": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" } }
            """, pubsub: true));
        using RequestSocket request = new(">" + app.EndpointOf("echo"));
        byte[] large = [.. Enumerable.Range(0, 1_000_000).Select(i => (byte)i)];
        foreach (byte[] body in (byte[][])[[], "hello"u8.ToArray(), large])
        {
            request.SendFrame(body);
            Assert.Equal(body, request.ReceiveFrameBytes());
        }

        using DealerSocket dealer = new();
        dealer.Options.Identity = "me"u8.ToArray();
        dealer.Connect(app.EndpointOf("echo"));
        dealer.SendMoreFrame("hop").SendMoreFrameEmpty().SendFrame("routed");
        Assert.Equal(["hop", "", "routed"], dealer.ReceiveMultipartStrings());
        using SubscriberSocket subscriber = new();
        subscriber.Subscribe("fields jobs-done");
        subscriber.Connect(app.PubsubEndpoints[0]);
        Assert.StartsWith("fields jobs-done ", subscriber.ReceiveMultipartStrings()[0]);
        using PushSocket push = new(">" + app.EndpointOf("nothing"));
        push.SendMoreFrame("one").SendFrame("two");
        await app.UntilAsync(6, "jobs", "done");
    }

    [Fact]
    public async Task Messages_of_a_mebibyte_come_back_whole()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("dealer", "DEALER", app.EndpointOf("echo"));
        byte[] body = new byte[1 << 20];
        for (int i = 0; i < 20; i++)
        {
            Random.Shared.NextBytes(body);
            await peer.SendAsync("dealer", [], body[..(body.Length - i)], body[..i]);
            Assert.Equal([[], body[..(body.Length - i)], body[..i]], await peer.ReceiveAsync("dealer"));
        }
    }

    /// <summary>The peer gives its server up when three of its questions stay open: a connection that lives hears a reply after a pause.</summary>
    [Fact]
    public async Task Heartbeats_are_answered()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""{ "held": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync(
            "dealer", "DEALER", app.EndpointOf("held"), options: [("HEARTBEAT_IVL", 50), ("HEARTBEAT_TIMEOUT", 150), ("RECONNECT_IVL", 60_000)]);
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await peer.SendTextAsync("dealer", "", gate);
        Assert.Null(await peer.ReceiveAsync("dealer", 1000)); // twenty heartbeats long
        File.WriteAllText(gate, "");
        Assert.Equal(["", "held"], await peer.ReceiveTextAsync("dealer"));
        File.Delete(gate);
    }

    [Fact]
    public async Task The_message_of_a_probe_is_no_request()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo));
        using ZeroMqPeer peer = new();
        foreach (string type in (string[])["REQ", "DEALER"])
        {
            await peer.OpenAsync(type, type, app.EndpointOf("echo"), options: ("PROBE_ROUTER", 1));
            string[] first = type == "DEALER" ? ["", "hi"] : ["hi"], second = type == "DEALER" ? ["", "again"] : ["again"];
            foreach (string[] message in (string[][])[first, second])
            {
                await peer.SendTextAsync(type, message);
                Assert.Equal(message, await peer.ReceiveTextAsync(type));
            }
        }

        Assert.Equal(0, await app.NumberAsync("tasks", "echo", "malformed"));
    }

    /// <summary>The connection before is still open, as after a loss of power: the one that comes again has the identity.</summary>
    [Fact]
    public async Task A_peer_that_comes_again_with_its_identity_takes_the_place_of_the_one_before()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo));
        using WirePeer lost = new(app.EndpointOf("echo"));
        byte[] request = [.. WireBytes.Third("DEALER", "me"), .. WireBytes.Message([], "one"u8.ToArray())];
        Assert.True(lost.TrySend(request));
        byte[] answer = WireBytes.Message([], "one"u8.ToArray());
        int handshake = WireBytes.Third("ROUTER").Length;
        Assert.Equal(answer, lost.Read(handshake + answer.Length)[handshake..]);
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("again", "DEALER", app.EndpointOf("echo"), identity: "me");
        await peer.SendTextAsync("again", "", "two");
        Assert.Equal(["", "two"], await peer.ReceiveTextAsync("again"));
        Assert.Empty(lost.ReadToEnd());
    }

    [Fact]
    public async Task An_answer_reaches_the_identity_on_its_next_connection()
    {
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "held": { "type": "zeromq-server", "endpoint": "tcp://lo:0" }, "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("before", "DEALER", app.EndpointOf("held"), identity: "me");
        await peer.SendTextAsync("before", "", gate);
        await app.UntilAsync(1, "jobs", "running");
        await peer.CloseAsync("before");
        await peer.OpenAsync("after", "DEALER", app.EndpointOf("held"), identity: "me");
        await peer.SendTextAsync("after", "no envelope"); // its answer says that the connection is made
        Assert.Contains("400", (await peer.ReceiveTextAsync("after"))[1]);
        File.WriteAllText(gate, "");
        Assert.Equal(["", "held"], await peer.ReceiveTextAsync("after"));
        File.Delete(gate);
    }

    [Fact]
    public async Task Peers_of_the_old_versions_are_served()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Echo, pubsub: true));
        byte[] signature = WireBytes.Greeting()[..10], text = "hello"u8.ToArray();
        using WirePeer second = new(app.EndpointOf("echo")), first = new(app.EndpointOf("echo"));
        Assert.True(second.TrySend([.. WireBytes.Second(5, "me"), .. WireBytes.Message([], text)]));
        byte[] expected = [.. signature, 3, 6, 0, 0, .. WireBytes.Message([], text)];
        Assert.Equal(expected, second.Read(expected.Length));
        Assert.True(first.TrySend([.. WireBytes.First(), .. WireBytes.OldMessage([], text)]));
        expected = [.. signature, .. WireBytes.OldMessage([], text)];
        Assert.Equal(expected, first.Read(expected.Length));

        // A subscriber of ZMTP 1.0 gets everything: it chooses itself.
        using WirePeer subscriber = new(app.PubsubEndpoints[0]);
        Assert.True(subscriber.TrySend(WireBytes.First()));
        byte[] heard = subscriber.Read(signature.Length + 2 + 7);
        Assert.Equal("fields ", Encoding.ASCII.GetString(heard[^7..]));
    }
}
