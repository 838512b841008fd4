using System.Net.Sockets;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Sealing;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>The misdeeds of a relay, one by one, against a real node: the calls are bytes of a sender that the node knows.</summary>
public sealed class SealedRelayTests : IDisposable
{
    private const int CloseBytes = 4;

    private readonly SealKeys _keys = new("billing");

    public void Dispose() => _keys.Dispose();

    [Theory]
    [InlineData(-30, "^seal: made (28|29|3[0-9]) s before this node's start by the caller's clock: try again in \\1 s, or set the clock$")]
    [InlineData(0, "")]
    [InlineData(58, "")]
    [InlineData(63, "^seal: replayed or too old$")]
    public async Task Clocks_may_differ_by_a_minute(int aheadS, string refusal)
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await AddAsync(node);
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        Received last = (await new SealedCaller(_keys, "billing", app.Name, aheadS).Call("echo", "x").SendAsync(peer))[^1];
        Assert.Equal(refusal.Length == 0 ? (ulong)MessageType.Close : MessageType.Error, last.Type);
        Assert.Matches(refusal, refusal.Length == 0 ? "" : last.Text);
    }

    [Fact]
    public async Task A_call_for_one_node_is_none_for_another()
    {
        using SealKeys others = new("unused");
        File.Copy(_keys.PublicOf("billing"), others.PublicOf("billing"));
        await using TestNode node = TestNode.Start(keysDirectory: others.Folder);
        RunningApp app = await AddAsync(node);
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        Received refused = Assert.Single(await new SealedCaller(_keys, "billing", app.Name).Call("echo", "x").SendAsync(peer));
        Assert.Equal((ErrorCodes.Unauthenticated, "seal: cannot be opened"), (refused.Code, refused.Text));
        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task Answers_of_two_calls_cannot_be_swapped_and_no_record_of_one_comes_twice()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await AddAsync(node);
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        SealedCaller caller = new(_keys, "billing", app.Name);
        KeptCall first = caller.Call("echo", "the same", 1), second = caller.Call("echo", "the same", 2), third = caller.Call("echo", "third", 3);
        List<Received> one = await first.SendAsync(peer), two = await second.SendAsync(peer);
        Assert.Equal(SealFault.CannotOpen, third.Seal.Open(new Payload(one[0].Data), new byte[1024], out _));
        Assert.Equal(SealFault.CannotOpen, first.Seal.Open(new Payload(two[0].Data), new byte[1024], out _));
        Assert.Equal("the same", second.Open(two[0]));
        Assert.NotEqual(SealFault.None, second.Seal.Open(new Payload(two[0].Data), new byte[1024], out _));
    }

    /// <summary>Calls of a session come in any order within the window, and none behind it.</summary>
    [Fact]
    public async Task Calls_may_overtake_each_other_within_the_window_only()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await AddAsync(node);
        SealedCaller caller = new(_keys, "billing", app.Name);
        KeptCall[] calls = [.. Enumerable.Range(1, ReplayWindow.Size + 2).Select(i => caller.Call("echo", $"{i}"))];
        foreach (int index in (int[])[0, 7, 3, ReplayWindow.Size + 1, 2])
        {
            Assert.Equal($"{index + 1}", await TextAsync(app, calls[index]));
        }

        Assert.Equal("seal: replayed or too old", Assert.Single(await AnswerAsync(app, calls[1].Bytes)).Text); // behind the window
        Assert.Equal("seal: replayed or too old", Assert.Single(await AnswerAsync(app, calls[3].Bytes)).Text); // within it, and used
        Assert.Equal(5UL, app.Engine.Counters.JobsAccepted);
    }

    [Fact]
    public async Task A_flip_at_each_byte_of_an_opening_opens_nothing_and_uses_nothing_up()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await AddAsync(node);
        SealedCaller caller = new(_keys, "billing", app.Name);
        KeptCall call = caller.Call("echo", "pay 5");
        int from = call.Bytes.AsSpan().IndexOf(caller.Opening);
        for (int i = from; i < from + caller.Opening.Length; i++)
        {
            byte[] changed = [.. call.Bytes];
            changed[i] ^= 1;
            Assert.Equal("seal: cannot be opened", Assert.Single(await AnswerAsync(app, changed)).Text);
        }

        Assert.Equal(0UL, app.Engine.Counters.JobsAccepted);
        Assert.Equal("pay 5", await TextAsync(app, call));
    }

    /// <summary>A changed byte makes no job, or the sender's own: the frame around the seal has bits without a meaning.</summary>
    [Fact]
    public async Task A_flip_at_each_byte_of_a_call_makes_no_job_that_its_sender_did_not_make()
    {
        await using TestNode node = TestNode.Start(keysDirectory: _keys.Folder);
        RunningApp app = await AddAsync(node);
        SealedCaller caller = new(_keys, "billing", app.Name);
        Assert.Equal("opens", await TextAsync(app, caller.Call("echo", "opens")));
        KeptCall call = caller.Call("echo", "pay 5");
        ulong taken = 1;
        for (int i = 0; i < call.Bytes.Length - CloseBytes; i++)
        {
            byte[] changed = [.. call.Bytes];
            changed[i] ^= 1;
            await AnswerAsync(app, changed);
            if (app.Engine.Counters.JobsAccepted > taken)
            {
                taken++;
                call = caller.Call("echo", "pay 5");
            }
        }

        Assert.InRange(taken, 1UL, 4UL);
        Assert.Equal("pay 5", await TextAsync(app, call));
        Assert.Equal(taken + 1, app.Engine.Counters.JobsAccepted);
    }

    /// <summary>The text of the answer to a whole call, on a connection of its own.</summary>
    private static async Task<string> TextAsync(RunningApp app, KeptCall call)
    {
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        return call.Open((await call.SendAsync(peer))[0]);
    }

    /// <summary>Everything that the node sends before it ends the connection of a sender who has ended it too.</summary>
    private static async Task<List<Received>> AnswerAsync(RunningApp app, byte[] bytes)
    {
        using MessagePeer peer = await MessagePeer.ConnectAsync(app);
        await peer.SendAsync(bytes);
        peer.Socket.Shutdown(SocketShutdown.Send);
        List<Received> all = [];
        while (await peer.ReadAsync() is { } message)
        {
            all.Add(message);
        }

        return all;
    }

    private static Task<RunningApp> AddAsync(TestNode node)
    {
        AppManifest app = TestApps.DotNet(BackendType.Thread);
        return node.AddAsync(app with
        {
            Tasks = [app.Tasks[0] with { Keys = new Dictionary<string, object>(app.Tasks[0].Keys) { ["sealed"] = "required" } }],
        });
    }
}
