using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client.Tests;

/// <summary>The client's messages and waits of flow control, seen by a node that the test plays.</summary>
public sealed class PlayedNodeFlowTests : IDisposable
{
    private const int ChunkBytes = 32 << 10, Chunks = 64;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly byte[] Chunk = new byte[ChunkBytes];

    private readonly Socket _listener = new(SocketType.Stream, ProtocolType.Tcp);

    public PlayedNodeFlowTests()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen();
    }

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task The_first_call_offers_it_and_no_other()
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            _ = client.CallAsync("one", Utf8.Of("x"));
            _ = client.CallAsync("two", Utf8.Of("x"));
            List<Received> calls = [];
            while (calls.Count < 2)
            {
                Received message = (await node.ReadAsync())!;
                if (message.Text is "one" or "two")
                {
                    calls.Add(message);
                }
            }

            byte[] offer = [0x91, 0x93, 0xc2, 0xb1, .. "cocaine-fast-flow"u8, 0xa8, 1, 0, 0, 0, 0, 0, 0, 0];
            Assert.Equal(offer, calls[0].Headers);
            Assert.Empty(calls[1].Headers);
        }
    }

    /// <summary>256 KiB are more than eight chunks only with their framing: the eighth is too much.</summary>
    [Fact]
    public async Task A_reader_that_is_behind_holds_its_call_and_lets_it_go_on_when_little_is_unread()
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            await using ClientCall call = client.Open("stream");
            await AgreeAsync(node);
            for (int i = 0; i < 8; i++)
            {
                await node.SendAsync(sink => MessageWriter.WriteChunk(sink, 1, new Payload(Chunk), bin: true));
            }

            Assert.Equal((1UL, true), (await node.ReadAsync())!.Flow);
            await node.SendAsync(sink => MessageWriter.WriteChunk(sink, 1, new Payload("crossed"u8), bin: true));
            for (int i = 0; i < 6; i++)
            {
                Assert.Equal(ChunkBytes, (await call.ReadAsync())!.Value.Length);
            }

            Task<byte[]> other = client.CallAsync("other", Utf8.Of("x"));
            Assert.Equal("other", (await node.ReadAsync())!.Text); // and no word of going on: two chunks are 64 KiB
            Assert.Equal(ChunkBytes, (await call.ReadAsync())!.Value.Length);
            await SkipAsync(node, 2); // the rest of the other call
            Assert.Equal((1UL, false), (await node.ReadAsync())!.Flow);
            await node.SendAsync(sink => MessageWriter.WriteClose(sink, 2));
            Assert.Empty(await other.WaitAsync(Limit));
            Assert.Equal(ChunkBytes, (await call.ReadAsync())!.Value.Length);
            Assert.Equal("crossed", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            await node.SendAsync(sink => MessageWriter.WriteClose(sink, 1));
            Assert.Null(await call.ReadAsync());
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(new byte[] { 0x93, 0, 0, 0x91, 2 })]
    [InlineData(new byte[] { 0x93, 0, 0, 0x91, 0x80 })]
    [InlineData(new byte[] { 0x93, 0, 0, 0x90 })]
    [InlineData(new byte[] { 0x93, 0, 1, 0x91, 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 1, 7 })]
    [InlineData(new byte[] { 0x93, 0, 1, 0x92, 0x92, 1, 1, 0xa1, (byte)'x' })]
    public async Task A_node_that_does_not_agree_never_hears_of_it_again_and_is_not_read_while_a_reader_is_behind(byte[]? says)
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            await using ClientCall call = client.Open("stream");
            Assert.Equal("stream", (await node.ReadAsync())!.Text);
            await node.SendAsync(says ?? []);
            Task<byte[]> other = client.CallAsync("other", Utf8.Of("x"));
            Assert.Equal("other", (await node.ReadAsync())!.Text);
            await SkipAsync(node, 2);
            for (int i = 0; i < Chunks; i++)
            {
                await node.SendAsync(sink => MessageWriter.WriteChunk(sink, 1, new Payload(Chunk), bin: true));
            }

            await node.SendAsync(sink => MessageWriter.WriteClose(sink, 2));
            for (int i = 0; i < Chunks; i++)
            {
                Assert.Equal(ChunkBytes, (await call.ReadAsync())!.Value.Length);
                if (i < Chunks - 10) // eight chunks wait for the reader at most
                {
                    Assert.False(other.IsCompleted);
                }
            }

            Assert.Empty(await other.WaitAsync(Limit));
            await call.DisposeAsync();
            Received end = (await node.ReadAsync())!;
            Assert.Equal((1UL, MessageType.Error, "the client gave up"), (end.Channel, end.Type, end.Text));
        }
    }

    [Fact]
    public async Task A_stream_that_is_held_ends_with_the_usual_message_when_it_is_disposed_of()
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            ClientCall call = client.Open("stream");
            await AgreeAsync(node);
            await node.SendAsync(sink => MessageWriter.WriteChunk(sink, 1, new Payload(new byte[300_000]), bin: true));
            Assert.Equal((1UL, true), (await node.ReadAsync())!.Flow);
            await call.DisposeAsync();
            Received end = (await node.ReadAsync())!;
            Assert.Equal((1UL, MessageType.Error, "the client gave up"), (end.Channel, end.Type, end.Text));
            ClientCall next = client.Open("next"); // the same object, which holds nothing now
            Assert.Equal("next", (await node.ReadAsync())!.Text);
            await node.SendAsync(sink => MessageWriter.WriteChunk(sink, 2, new Payload("good"u8), bin: true));
            Assert.Equal("good", Encoding.UTF8.GetString((await next.ReadAsync())!.Value.Span));
            await next.DisposeAsync();
            end = (await node.ReadAsync())!;
            Assert.Equal((2UL, MessageType.Error), (end.Channel, end.Type));
        }
    }

    [Fact]
    public async Task A_write_waits_while_the_node_holds_the_request_and_other_calls_go_on()
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            await using ClientCall call = client.Open("upload");
            await AgreeAsync(node);
            await node.SendAsync(sink =>
            {
                MessageWriter.WriteFlow(sink, 0, 77, hold: true); // of no call
                MessageWriter.WriteFlow(sink, 0, 1, hold: true);
                MessageWriter.WriteFlow(sink, 0, 1, hold: true);
                MessageWriter.WriteChunk(sink, 1, new Payload("held"u8), bin: true);
            });
            Assert.Equal("held", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            Task writing = call.WriteAsync(Utf8.Of("later")).AsTask();
            _ = client.CallAsync("quick", Utf8.Of("x"));
            Assert.Equal("quick", (await node.ReadAsync())!.Text);
            await SkipAsync(node, 2);
            Assert.False(writing.IsCompleted);
            await node.SendAsync(sink => MessageWriter.WriteFlow(sink, 0, 1, hold: false));
            await writing.WaitAsync(Limit);
            Assert.Equal("later", (await node.ReadAsync())!.Text);
            await call.CompleteAsync();
            Assert.Equal((1UL, MessageType.Close), ((await node.ReadAsync()) is { } end ? (end.Channel, end.Type) : default));
        }
    }

    [Theory]
    [InlineData("end")]
    [InlineData("error")]
    [InlineData("cancel")]
    [InlineData("dispose")]
    [InlineData("deadline")]
    [InlineData("loss")]
    public async Task A_write_that_the_node_holds_is_done_when_the_call_ends_and_its_chunk_is_dropped(string how)
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        using (CancellationTokenSource stop = new())
        {
            CallOptions options = new() { Deadline = how == "deadline" ? TimeSpan.FromMilliseconds(50) : null };
            ClientCall call = client.Open("upload", options, stop.Token);
            await AgreeAsync(node);
            await node.SendAsync(sink =>
            {
                MessageWriter.WriteFlow(sink, 0, 1, hold: true);
                MessageWriter.WriteChunk(sink, 1, new Payload("held"u8), bin: true);
            });
            Assert.Equal("held", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
            Task writing = call.WriteAsync(Utf8.Of("dropped")).AsTask();
            Assert.False(writing.IsCompleted);
            Task ending = how switch
            {
                "end" => node.SendAsync(sink => MessageWriter.WriteClose(sink, 1)),
                "error" => node.SendAsync(sink => MessageWriter.WriteError(sink, 1, 1000, 502, "its end")),
                "cancel" => stop.CancelAsync(),
                "dispose" => call.DisposeAsync().AsTask(),
                "loss" => Task.Run(node.Dispose),
                _ => Task.CompletedTask,
            };
            await ending.WaitAsync(Limit);
            await writing.WaitAsync(Limit);
            if (how is "end" or "error")
            {
                _ = client.CallAsync("next", Utf8.Of("x"));
                Assert.Equal("next", (await node.ReadAsync())!.Text); // nothing of the chunk came before it
            }
            else if (how != "loss")
            {
                Assert.Equal("the client gave up", (await node.ReadAsync())!.Text);
            }

            await call.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(new byte[] { 0x93, 0, 2, 0x90 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x91, 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 1, 2 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x92, 0xa1, (byte)'1', 1 })]
    [InlineData(new byte[] { 0x93, 0, 2, 0x93, 1, 1, 1 })]
    public async Task A_malformed_message_ends_the_connection_with_a_clear_error(byte[] message)
    {
        (CocaineClient client, MessagePeer node) = await ConnectAsync();
        await using (client)
        using (node)
        {
            await using ClientCall call = client.Open("stream");
            await AgreeAsync(node);
            await node.SendAsync(message);
            ConnectionLostException lost = await Assert.ThrowsAsync<ConnectionLostException>(async () => await call.ReadAsync());
            Assert.Equal("the node sent a message of flow control without a channel, or without 1 or 0", lost.Message);
        }
    }

    private static async Task SkipAsync(MessagePeer node, int messages)
    {
        for (int i = 0; i < messages; i++)
        {
            await node.ReadAsync();
        }
    }

    /// <summary>Takes the first call and tells the client that this node has flow control.</summary>
    private static async Task AgreeAsync(MessagePeer node)
    {
        Assert.Equal(MessageType.Chunk, (await node.ReadAsync())!.Type);
        await node.SendAsync([0x93, 0, 0, 0x91, 1]);
    }

    private async Task<(CocaineClient Client, MessagePeer Node)> ConnectAsync()
    {
        Task<Socket> accepting = _listener.AcceptAsync();
        CocaineClient client = await CocaineClient.ConnectAsync($"tcp://127.0.0.1:{((IPEndPoint)_listener.LocalEndPoint!).Port}");
        return (client, new MessagePeer(await accepting.WaitAsync(Limit)));
    }
}
