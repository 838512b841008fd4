using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Sealed body frames of a zeromq-server, from sockets of libzmq.</summary>
public sealed class SealedFramesTests : IDisposable
{
    private const string Tasks = """
        { "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0", "sealed": "required" },
          "many": { "type": "zeromq-server", "endpoint": "tcp://lo:0", "sealed": "accepted" },
          "fail": { "type": "zeromq-server", "endpoint": "tcp://lo:0", "sealed": "required" } }
        """;

    private readonly SealKeys _keys = new("billing");

    /// <summary>Nobody but the owner of one RSA key may call anything.</summary>
    private static SecurityConfig OnlyBilling => new()
    {
        Identities = [new Identity { Name = "billing", RsaKeys = ["billing"] }],
        Rights = [new RightsRule { Callers = ["billing"], Calls = [new CallGrant(new NamePattern("*"), [new NamePattern("*")])] }],
    };

    public void Dispose() => _keys.Dispose();

    [Fact]
    public async Task Jobs_and_answers_are_sealed_and_nothing_comes_twice()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks));
        using ZeroMqPeer peer = new();
        foreach (string task in (string[])["echo", "many", "fail"])
        {
            await peer.OpenAsync(task, "REQ", app.EndpointOf(task));
        }

        FrameSender sender = new(_keys);
        for (int i = 0; i < 5; i++)
        {
            (byte[] frame, SealedCall call) = sender.Seal("echo", $"hello {i}"); // the first one opens the session
            await peer.SendAsync("echo", frame);
            Assert.Equal([$"hello {i}", "end"], FrameSender.Open(call, await peer.ReceiveAsync("echo")));
            await peer.SendAsync("echo", frame);
            Assert.Equal("seal: replayed or too old", await ErrorAsync(peer, "echo"));
        }

        (byte[] first, SealedCall one) = sender.Seal("many", "2");
        (byte[] second, SealedCall two) = sender.Seal("many", "1");
        await peer.SendAsync("many", first, second);
        byte[][] both = (await peer.ReceiveAsync("many"))!;
        Assert.Equal(["1", "2", "end"], FrameSender.Open(one, both[..3]));
        Assert.Equal(["1", "end"], FrameSender.Open(two, both[3..]));
        await peer.SendTextAsync("many", "1"); // accepted beside sealed ones
        Assert.Equal(["1"], await peer.ReceiveTextAsync("many"));
        (byte[] failing, SealedCall failed) = sender.Seal("fail", "bad luck");
        await peer.SendAsync("fail", failing);
        Assert.Contains("bad luck", Assert.Single(FrameSender.Open(failed, await peer.ReceiveAsync("fail"))));
        (byte[] other, _) = sender.Seal("echo", "for another task");
        await peer.SendAsync("fail", other);
        Assert.Equal("seal: cannot be opened", await ErrorAsync(peer, "fail"));
        await peer.SendTextAsync("echo", "plain");
        Assert.Equal("this door wants to know who calls: a sealed request", await ErrorAsync(peer, "echo"));
        Assert.Equal(9UL, app.Engine.Counters.JobsAccepted);
        await node.LogLines.UntilAsync("reason=not-sealed");
    }

    [Fact]
    public async Task A_sink_takes_sealed_frames_without_a_way_back()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""{ "echo": { "type": "zeromq-sink", "endpoint": "tcp://lo:0", "sealed": "required" } }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("echo"));
        FrameSender sender = new(_keys);
        (byte[] first, _) = sender.Seal("echo", "one");
        (byte[] second, _) = sender.Seal("echo", "two");
        (byte[] third, _) = sender.Seal("echo", "three");
        await peer.SendAsync("push", first, second, third); // the session is being opened when its records come
        await app.UntilAsync(3, "jobs", "done");
        await peer.SendAsync("push", second, first, Encoding.ASCII.GetBytes("plain"));
        await app.UntilAsync(3, "tasks", "echo", "seals-refused");
        await app.UntilAsync(3, "jobs", "done");
        Assert.Equal(3UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_body_without_a_seal_is_judged_by_its_peer_where_seals_are_accepted()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder, security: OnlyBilling);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0", "sealed": "accepted" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("echo", "DEALER", app.EndpointOf("echo"));
        byte[] usual = ZeroMqApps.Policy(false, 0, 0);
        await peer.SendAsync("echo", [[], .. Group(usual, Encoding.ASCII.GetBytes("plain"))]);
        Assert.Contains("this door wants to know who calls", Encoding.UTF8.GetString((await peer.ReceiveAsync("echo"))![^1]), StringComparison.Ordinal);
        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
        (byte[] frame, SealedCall call) = new FrameSender(_keys).Seal("echo", "hello");
        await peer.SendAsync("echo", [[], .. Group(usual, frame)]);
        Assert.Equal(["hello", "end"], FrameSender.Open(call, [(await peer.ReceiveAsync("echo"))![^1], (await peer.ReceiveAsync("echo"))![^1]]));
    }

    [Fact]
    public async Task A_native_sink_takes_sealed_bodies_and_holds_them_to_the_wishes_around_them()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder, security: OnlyBilling);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo": { "type": "native-sink", "transport": "zeromq", "endpoint": "tcp://lo:0", "sealed": "accepted" },
              "many": { "type": "native-sink", "transport": "zeromq", "endpoint": "tcp://lo:0", "sealed": "required" } }
            """));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("echo", "PUSH", app.EndpointOf("echo"));
        await peer.OpenAsync("many", "PUSH", app.EndpointOf("many"));
        byte[] usual = ZeroMqApps.Policy(false, 0, 0), urgent = ZeroMqApps.Policy(true, 0, 0);
        byte[] soon = ZeroMqApps.Policy(false, 0, DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 60);
        SealPolicy wish = new(null, null, null, urgent: true);
        FrameSender sender = new(_keys);
        (byte[] first, _) = sender.Seal("echo", "one");
        (byte[] second, _) = sender.Seal("echo", "two", wish);
        await peer.SendAsync("echo", [.. Group(usual, first), .. Group(urgent, second)]);
        await app.UntilAsync(2, "jobs", "done");
        await peer.SendAsync("echo", [.. Group(usual, first), .. Group(usual, sender.Seal("echo", "three", wish).Frame), .. Group(soon, sender.Seal("echo", "four").Frame)]);
        await app.UntilAsync(2, "tasks", "echo", "seals-refused"); // one came twice, and one has lost its urgency
        await app.UntilAsync(1, "tasks", "echo", "malformed");     // a deadline that anybody could change
        await peer.SendAsync("echo", Group(usual, Encoding.ASCII.GetBytes("from a stranger")));
        await peer.SendAsync("many", Group(usual, Encoding.ASCII.GetBytes("plain")));
        await app.UntilAsync(1, "tasks", "many", "seals-refused");
        await peer.SendAsync("many", Group(usual, sender.Seal("many", "5").Frame));
        await peer.SendAsync("echo", Group(usual, sender.Seal("echo", "six").Frame)); // behind that of the stranger
        await app.UntilAsync(4, "jobs", "done");
        Assert.Equal(4UL, app.Engine.Counters.JobsAccepted);
        Assert.Contains("who=@loopback", node.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Broken_frames_are_refused_and_the_next_one_is_served()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("echo", "REQ", app.EndpointOf("echo"));
        FrameSender sender = new(_keys);
        Random random = new(1);
        for (int i = 0; i < 200; i++)
        {
            (byte[] frame, _) = sender.Seal("echo", "x");
            byte[] broken = random.Next(2) == 0 ? frame[..random.Next(frame.Length)] : [.. frame];
            if (broken.Length == frame.Length)
            {
                broken[random.Next(broken.Length)] ^= (byte)(1 << random.Next(8));
            }

            await peer.SendAsync("echo", broken);
            Assert.NotEmpty(await ErrorAsync(peer, "echo"));
            Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
        }

        sender = new FrameSender(_keys);
        (byte[] good, SealedCall call) = sender.Seal("echo", "good");
        await peer.SendAsync("echo", good);
        Assert.Equal(["good", "end"], FrameSender.Open(call, await peer.ReceiveAsync("echo")));
    }

    /// <summary>A group of the framing of 2012.</summary>
    private static byte[][] Group(byte[] policy, byte[] body) =>
        [[1], ZeroMqApps.Head(Guid.NewGuid().ToString(), false), policy, body];

    private static async Task<string> ErrorAsync(ZeroMqPeer peer, string socket)
    {
        JsonElement error = JsonSerializer.Deserialize<JsonElement>(Assert.Single(await peer.ReceiveTextAsync(socket)));
        return error.GetProperty("message").GetString()!;
    }
}
