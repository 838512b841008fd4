using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>Flow control of each call as a client sees it that speaks the protocol by hand.</summary>
public class ClientFlowTests
{
    private static readonly byte[] Offer = [0x91, 0x93, 0xc2, 0xb1, .. "cocaine-fast-flow"u8, 0xa1, (byte)'1'];

    [Fact]
    public async Task A_client_that_does_not_offer_it_sees_nothing_of_it()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(GatedApp.Manifest(BackendType.Process, Single(2)));
        using GatedApp gate = new();
        using MessagePeer plain = await MessagePeer.ConnectAsync(app);
        await plain.SendAsync(sink =>
        {
            MessageWriter.WriteEnqueue(sink, 1, "sum"u8, [0x91, 0x93, 0xc2, 0xb1, .. "cocaine-fast-flow"u8, 0xa1, (byte)'2'], bin: true);
            MessageWriter.WriteChunk(sink, 1, new Payload(gate.Path), bin: true);
        });
        await gate.AwaitHandlerAsync();
        Task sending = SendAsync(plain, 1, Upload);
        await UntilAsync(app, connection => connection.IsReadingPaused);
        gate.Open();
        await sending;
        Received answer = (await plain.ReadAsync())!; // an offer of another version is none, and no message came before this one
        Assert.Equal((1UL, $"{Upload}"), (answer.Channel, answer.Text));
        await plain.SendAsync(sink => MessageWriter.WriteFlow(sink, 0, 1, hold: true));
        List<Received> refusal = await plain.ReadToEndOfAsync(0);
        Assert.StartsWith("channels are numbered from 1", refusal.Single().Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_held_comes_in_order_when_the_client_goes_on()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, Single(2)));
        using MessagePeer client = await OfferAsync(app);
        await CallAsync(client, 2, "count", "200000", hold: true);
        for (uint channel = 3; channel < 50; channel++)
        {
            await CallAsync(client, channel, "echo", "quick");
            List<Received> quick = await client.ReadToEndOfAsync(channel);
            Assert.Equal(["quick", "close"], quick.Select(Describe));
        }

        Assert.InRange(await HeldBytesAsync(app), 1, 2 << 20);
        await client.SendAsync(sink => MessageWriter.WriteFlow(sink, 0, 2, hold: false));
        List<Received> messages = await client.ReadToEndOfAsync(2);
        Assert.Equal(MessageType.Close, messages[^1].Type);
        Assert.Equal(Enumerable.Range(1, 200_000).Select(i => $"{i}\n"), messages[..^1].Select(message => message.Text));
        await app.UntilInfoShowsAsync("\"running\":0");
        await UntilAsync(app, connection => HeldBytes(connection) == 0);
    }

    [Theory]
    [InlineData("echo", "short", "close")]
    [InlineData("fail", "why", "error 502")]
    public async Task The_end_of_a_held_answer_waits_behind_its_chunks_and_only_there(string name, string request, string end)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer client = await OfferAsync(app);
        await CallAsync(client, 2, name, request, hold: true);
        if (name == "echo")
        {
            await UntilAsync(app, connection => HeldBytes(connection) > 0);
            await app.UntilInfoShowsAsync("\"running\":0");
            await client.SendAsync(sink => MessageWriter.WriteFlow(sink, 0, 2, hold: false));
        }

        List<Received> messages = await client.ReadToEndOfAsync(2);
        Assert.Equal(name == "echo" ? [request, end] : [end], messages.Select(Describe));
    }

    [Fact]
    public async Task A_deadline_that_passes_while_the_answer_is_held_comes_behind_its_chunks_and_frees_the_slave_at_once()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, Single(1)));
        using MessagePeer client = await OfferAsync(app);
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteEnqueue(sink, 2, "blob"u8, [0x91, 0x93, 0xc2, 0xaf, .. "request_timeout"u8, 0xa4, .. "5000"u8], bin: true);
            MessageWriter.WriteFlow(sink, 0, 2, hold: true);
            MessageWriter.WriteChunk(sink, 2, new Payload("100000000"u8), bin: true);
            MessageWriter.WriteClose(sink, 2);
        });
        await UntilAsync(app, connection => HeldBytes(connection) > 256 << 10);
        await CallAsync(client, 3, "echo", "fine"); // waits for the only slave
        Assert.Equal(["fine", "close"], (await client.ReadToEndOfAsync(3)).Select(Describe));
        long held = await HeldBytesAsync(app);
        Assert.InRange(held, 256 << 10, 4 << 20);
        await client.SendAsync(sink => MessageWriter.WriteFlow(sink, 0, 2, hold: false));
        List<Received> messages = await client.ReadToEndOfAsync(2);
        Assert.Equal("error 520", Describe(messages[^1]));
        Assert.InRange(messages[..^1].Sum(message => message.Data.Length), 256 << 10, held);
    }

    [Fact]
    public async Task A_held_call_that_the_client_gives_up_leaves_nothing_behind()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, Single(2)));
        using MessagePeer client = await OfferAsync(app);
        await CallAsync(client, 2, "blob", "100000000", hold: true);
        await UntilAsync(app, connection => HeldBytes(connection) > 256 << 10); // its slave is held back too
        await CallAsync(client, 3, "echo", "whole", hold: true);
        await UntilAsync(app, connection => HeldBytes(connection) > 256 << 10);
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteError(sink, 2, 42, 1, "enough");
            MessageWriter.WriteError(sink, 3, 42, 1, "enough"); // its job has ended
            MessageWriter.WriteFlow(sink, 0, 2, hold: false);   // of calls that have ended
            MessageWriter.WriteFlow(sink, 0, 3, hold: true);
        });
        Assert.Equal(["error 1"], (await client.ReadToEndOfAsync(2)).Select(Describe));
        Assert.Equal(["error 1"], (await client.ReadToEndOfAsync(3)).Select(Describe));
        await app.UntilInfoShowsAsync("\"running\":0");
        await UntilAsync(app, connection => HeldBytes(connection) == 0);
        for (uint channel = 4; channel < 10; channel++)
        {
            await CallAsync(client, channel, "echo", "fine"); // both slaves work again
            Assert.Equal(["fine", "close"], (await client.ReadToEndOfAsync(channel)).Select(Describe));
        }
    }

    [Fact]
    public async Task The_node_holds_the_request_of_one_call_and_reads_the_others()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(GatedApp.Manifest(BackendType.Process, Single(2)));
        using GatedApp gate = new();
        using MessagePeer client = await OfferAsync(app, "none");
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteEnqueue(sink, 2, "sum"u8, default, bin: true);
            MessageWriter.WriteChunk(sink, 2, new Payload(gate.Path), bin: true);
        });
        await gate.AwaitHandlerAsync();
        Task sending = SendAsync(client, 2, Upload);
        Assert.Equal((2UL, true), (await client.ReadAsync())!.Flow);
        await sending; // the client was asked, and yet the node has read on
        for (uint channel = 3; channel < 20; channel++)
        {
            await CallAsync(client, channel, "none", "at once");
            Assert.Equal("error 404", Describe((await client.ReadToEndOfAsync(channel)).Single()));
        }

        gate.Open();
        Received next = (await client.ReadAsync())!;
        Assert.True(next.Flow == (2UL, false) || Describe(next) == $"{Upload}", Describe(next));
    }

    [Theory]
    [InlineData(new byte[] { 0x93, 0, 2, 0x90 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x91, 2 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 2, 2 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 0xff, 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 2, 0xc3 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 0xa1, (byte)'2', 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x93, 2, 1, 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 0x92, 1, 1, 0xa1, (byte)'x' })]
    public async Task A_malformed_message_ends_its_connection_with_an_error_and_no_other(byte[] message)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer good = await OfferAsync(app);
        using MessagePeer bad = await OfferAsync(app);
        await CallAsync(bad, 2, "blob", "100000000", hold: true);
        await bad.SendAsync(message);
        Assert.Equal("a message of flow control has a channel, and 1 or 0", (await bad.ReadToEndOfAsync(0)).Single().Text);
        Assert.Null(await bad.ReadAsync());
        await app.UntilInfoShowsAsync("\"malformed\":1");
        await app.UntilInfoShowsAsync("\"running\":0");
        await CallAsync(good, 2, "echo", "fine");
        Assert.Equal(["fine", "close"], (await good.ReadToEndOfAsync(2)).Select(Describe));
    }

    [Fact]
    public async Task Numbers_of_no_open_call_are_ignored_and_so_is_a_state_that_is_so_already()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer client = await OfferAsync(app);
        await client.SendAsync(sink =>
        {
            foreach (ulong channel in (ulong[])[0, 1, 2, 17, uint.MaxValue, ulong.MaxValue])
            {
                MessageWriter.WriteFlow(sink, 0, channel, hold: true); // 1 has ended, and 2 is not open yet
                MessageWriter.WriteFlow(sink, 0, channel, hold: false);
                MessageWriter.WriteFlow(sink, 0, channel, hold: true);
            }
        });
        await CallAsync(client, 2, "echo", "fine");
        Assert.Equal(["fine", "close"], (await client.ReadToEndOfAsync(2)).Select(Describe));
        await CallAsync(client, 3, "echo", "held", hold: true);
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteFlow(sink, 0, 3, hold: true);
            MessageWriter.WriteFlow(sink, 0, 3, hold: false);
            MessageWriter.WriteFlow(sink, 0, 3, hold: false);
        });
        Assert.Equal(["held", "close"], (await client.ReadToEndOfAsync(3)).Select(Describe));
    }

    /// <summary>The wheel is turned on by a minute, so that the test need not wait. The slaves' own bounds are longer than that.</summary>
    [Fact]
    public async Task A_client_that_never_goes_on_loses_the_call_after_a_minute_and_no_other()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = Single(3) with { HeartbeatTimeoutMs = 3_600_000 };
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, engine));
        using MessagePeer client = await OfferAsync(app);
        await CallAsync(client, 2, "blob", "100000000", hold: true);
        await UntilAsync(app, connection => HeldBytes(connection) > 256 << 10);
        await CallAsync(client, 3, "echo", "whole", hold: true);
        await CallAsync(client, 4, "echo", "fine");
        Assert.Equal(["fine", "close"], (await client.ReadToEndOfAsync(4)).Select(Describe));
        await app.UntilInfoShowsAsync("\"running\":1");
        EventLoop loop = (EventLoop)app.Engine.Loop;
        await loop.RunAsync(() => loop.Patience.Advance(loop.ListenedMs + 61_000));
        foreach (ulong channel in (ulong[])[2, 3])
        {
            Received end = (await client.ReadToEndOfAsync(channel)).Single();
            Assert.Equal(("error 503", "the client has held this answer for 60 s"), (Describe(end), end.Text));
        }

        await CallAsync(client, 5, "echo", "fine");
        Assert.Equal(["fine", "close"], (await client.ReadToEndOfAsync(5)).Select(Describe));
        Assert.Contains("has held an answer for 60 s and gets no more of it", node.Log);
    }

    private const int Upload = 40 << 20;

    private static EngineSettings Single(int slaves) => new() { Concurrency = 1, PoolLimit = slaves, QueueLimit = 1000 };

    /// <summary>A client that has offered flow control with its first call, and was understood.</summary>
    private static async Task<MessagePeer> OfferAsync(RunningApp app, string name = "echo")
    {
        MessagePeer client = await MessagePeer.ConnectAsync(app);
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteEnqueue(sink, 1, Encoding.UTF8.GetBytes(name), Offer, bin: true);
            MessageWriter.WriteClose(sink, 1);
        });
        Received agreed = (await client.ReadAsync())!;
        Assert.Equal((0UL, 0UL, "9101"), (agreed.Channel, agreed.Type, Convert.ToHexString(agreed.Data)));
        await client.ReadToEndOfAsync(1);
        return client;
    }

    private static Task CallAsync(MessagePeer client, ulong channel, string name, string request, bool hold = false) => client.SendAsync(sink =>
    {
        MessageWriter.WriteEnqueue(sink, channel, Encoding.UTF8.GetBytes(name), default, bin: true);
        if (hold)
        {
            MessageWriter.WriteFlow(sink, 0, channel, hold: true);
        }

        MessageWriter.WriteChunk(sink, channel, new Payload(Encoding.UTF8.GetBytes(request)), bin: true);
        MessageWriter.WriteClose(sink, channel);
    });

    private static async Task SendAsync(MessagePeer client, ulong channel, int bytes)
    {
        byte[] chunk = new byte[1 << 20];
        for (int sent = 0; sent < bytes; sent += chunk.Length)
        {
            await client.SendAsync(sink => MessageWriter.WriteChunk(sink, channel, new Payload(chunk), bin: true));
        }

        await client.SendAsync(sink => MessageWriter.WriteClose(sink, channel));
    }

    private static string Describe(Received message) => message.Type switch
    {
        MessageType.Chunk => message.Text,
        MessageType.Error => $"error {message.Code}",
        _ => "close",
    };

    private static long HeldBytes(NativeConnection connection) => connection.HeldBytes;

    private static async Task<long> HeldBytesAsync(RunningApp app)
    {
        long bytes = 0;
        await ((EventLoop)app.Engine.Loop).RunAsync(() => bytes = ((NativeServer)app.Drivers[0]).Connections.Sum(HeldBytes));
        return bytes;
    }

    /// <summary>Asks the loop until the only connection is as wanted; each question is a turn of the loop, so this does not spin.</summary>
    private static async Task UntilAsync(RunningApp app, Predicate<NativeConnection> isSo)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
        for (bool found = false; !found;)
        {
            limit.Token.ThrowIfCancellationRequested();
            await ((EventLoop)app.Engine.Loop).RunAsync(() => found = isSo(((NativeServer)app.Drivers[0]).Connections.Single()));
        }
    }
}
