using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Sealed bodies in the envelopes of 2012, server+lsd and native-server over ZeroMQ, from sockets of libzmq.</summary>
public sealed class SealedEnvelopeTests : IDisposable
{
    private const string Uuid = "00112233-4455-6677-8899-aabbccddeeff";

    private static readonly SealPolicy Urgent = new(null, 5000, null, urgent: true);
    private static readonly byte[] Empty = [];

    private readonly SealKeys _keys = new("billing");

    public void Dispose() => _keys.Dispose();

    [Fact]
    public async Task Server_lsd_opens_bodies_and_seals_each_part_of_the_answer()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "many": { "type": "server+lsd", "endpoint": "tcp://lo:0", "sealed": "required" },
              "fail": { "type": "server+lsd", "endpoint": "tcp://lo:0", "sealed": "accepted" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("many", "DEALER", app.EndpointOf("many"));
        await peer.OpenAsync("fail", "DEALER", app.EndpointOf("fail"));
        FrameSender sender = new(_keys);
        (byte[] frame, SealedCall call) = sender.Seal("many", "2", Urgent); // opens the session
        await SendLsdAsync(peer, "many", frame, """, "urgent": true, "timeout": 5""");
        Assert.Equal(["1", "2", "end"], FrameSender.Open(call, [await PartAsync(peer, "many"), await PartAsync(peer, "many"), await PartAsync(peer, "many")]));
        Assert.Equal("""{"uuid":"U","completed":true}""", await TextAsync(peer, "many"));

        await SendLsdAsync(peer, "many", frame, """, "urgent": true, "timeout": 5""");
        Assert.Equal("seal: replayed or too old", await ErrorAsync(peer, "many"));
        (frame, call) = sender.Seal("many", "0", Urgent);
        await SendLsdAsync(peer, "many", frame, """, "urgent": true, "timeout": 6"""); // somebody has changed a wish
        Assert.Equal("seal: cannot be opened", await ErrorAsync(peer, "many"));
        await SendLsdAsync(peer, "many", frame, $$""", "urgent": true, "timeout": 5, "deadline": {{DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 60}}""");
        Assert.Equal("a sealed body has no deadline in its envelope, where anybody could change it", await ErrorAsync(peer, "many"));
        await SendLsdAsync(peer, "many", Encoding.ASCII.GetBytes("1"), "");
        Assert.Equal("this door wants to know who calls: a sealed request", await ErrorAsync(peer, "many"));
        await SendLsdAsync(peer, "many", frame, """, "urgent": true, "timeout": 5"""); // as its sender made it
        Assert.Equal(["end"], FrameSender.Open(call, [await PartAsync(peer, "many")]));

        (frame, call) = sender.Seal("fail", "bad luck");
        await SendLsdAsync(peer, "fail", frame, "");
        Assert.Contains("bad luck", Assert.Single(FrameSender.Open(call, [await PartAsync(peer, "fail")])));
        Assert.Equal("sealed", await ErrorAsync(peer, "fail"));
        await SendLsdAsync(peer, "fail", Encoding.ASCII.GetBytes("plain"), "");
        Assert.Contains("plain", await ErrorAsync(peer, "fail"));
        Assert.Equal(4UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_native_server_opens_bodies_and_seals_each_part_of_the_answer()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "old": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "events": "many", "sealed": "required" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("old", "DEALER", app.EndpointOf("old"));
        FrameSender sender = new(_keys);
        (byte[] frame, SealedCall call) = sender.Seal("many", "1", Urgent);
        await SendNativeAsync(peer, frame, ZeroMqApps.Policy(urgent: true, timeout: 5, deadline: 0));
        byte[][] first = (await peer.ReceiveAsync("old"))!, second = (await peer.ReceiveAsync("old"))!;
        Assert.Equal(["1", "end"], FrameSender.Open(call, [first[^1], second[^1]]));
        Assert.Equal(ZeroMqApps.Head(Uuid, isLast: true), (await peer.ReceiveAsync("old"))![^1]);

        await SendNativeAsync(peer, sender.Seal("many", "1").Frame, ZeroMqApps.Policy(urgent: true, timeout: 0, deadline: 0));
        Assert.Contains("seal: cannot be opened", Encoding.UTF8.GetString((await peer.ReceiveAsync("old"))![^1]));
        await SendNativeAsync(peer, Encoding.ASCII.GetBytes("1"), ZeroMqApps.Policy(urgent: false, timeout: 0, deadline: 0));
        Assert.Contains("a sealed request", Encoding.UTF8.GetString((await peer.ReceiveAsync("old"))![^1]));
        Assert.Equal(1UL, app.Engine.Counters.JobsAccepted);
    }

    private static Task SendLsdAsync(ZeroMqPeer peer, string socket, byte[] body, string wishes) =>
        peer.SendAsync(socket, Empty, Encoding.UTF8.GetBytes($$"""{"uuid": "{{Uuid}}"{{wishes}}}"""), body);

    private static Task SendNativeAsync(ZeroMqPeer peer, byte[] body, byte[] policy) =>
        peer.SendAsync("old", Empty, [1], ZeroMqApps.Head(Uuid, isLast: false), policy, body);

    /// <summary>The body of a message of an answer.</summary>
    private static async Task<byte[]> PartAsync(ZeroMqPeer peer, string socket) => (await peer.ReceiveAsync(socket))![^1];

    private static async Task<string> TextAsync(ZeroMqPeer peer, string socket) =>
        Encoding.UTF8.GetString(await PartAsync(peer, socket)).Replace(Uuid, "U");

    private static async Task<string> ErrorAsync(ZeroMqPeer peer, string socket) =>
        JsonSerializer.Deserialize<JsonElement>(await PartAsync(peer, socket)).GetProperty("message").GetString()!;
}
