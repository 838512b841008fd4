using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>Messages over a real socket, however the bytes come.</summary>
public sealed class MessageConnectionTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly Socket _peer = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public void Dispose()
    {
        _peer.Dispose();
        _loop.Dispose();
    }

    [Fact]
    public async Task Messages_that_come_byte_by_byte_are_whole_and_in_order()
    {
        Messages messages = await OpenAsync();
        byte[] bytes = [.. Message(1, "one"u8), .. Message(2, ""u8), .. Message(3, "three"u8)];
        foreach (byte one in bytes)
        {
            Assert.Equal(1, _peer.Send([one]));
        }

        _peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(["1: one", "2: ", "3: three", "the peer closed the connection"], await messages.Ended.WaitAsync(Limit));
    }

    [Theory]
    [InlineData(BufferPool.BlockSizeBytes - 10, 300)]
    [InlineData(20 << 10, 50)]
    [InlineData(300 << 10, 5)]
    public async Task Messages_across_blocks_are_whole(int sizeBytes, int count)
    {
        Messages messages = await OpenAsync();
        byte[] payload = new byte[sizeBytes];
        new Random(sizeBytes).NextBytes(payload);
        byte[] expected = System.Security.Cryptography.SHA256.HashData(payload);
        for (int i = 1; i <= count; i++)
        {
            byte[] message = Message((ulong)i, payload);
            for (int at = 0; at < message.Length;)
            {
                at += await _peer.SendAsync(message.AsMemory(at));
            }
        }

        _peer.Shutdown(SocketShutdown.Send);
        List<string> came = await messages.Ended.WaitAsync(Limit);
        Assert.Equal(count + 1, came.Count);
        Assert.All(came[..^1].Select((line, i) => (line, i)), one => Assert.Equal($"{one.i + 1}: {Convert.ToHexString(expected)}", one.line));
    }

    [Fact]
    public async Task Bytes_that_are_no_message_end_the_connection_after_the_messages_before_them()
    {
        Messages messages = await OpenAsync();
        _peer.Send([.. Message(1, "one"u8), 0xc1, .. Message(2, "never"u8)]);
        List<string> came = await messages.Ended.WaitAsync(Limit);
        Assert.Equal("1: one", came[0]);
        Assert.StartsWith("malformed 400", came[1]);
        Assert.Equal(3, came.Count);
        Assert.True(await EndsAsync());
    }

    [Fact]
    public async Task A_message_larger_than_the_limit_is_refused_by_its_head()
    {
        Messages messages = await OpenAsync(new ProtocolLimits { MaxMessageBytes = 1000 });
        _peer.Send(Message(7, new byte[200_000]).AsSpan(0, 100)); // the rest is not waited for
        List<string> came = await messages.Ended.WaitAsync(Limit);
        Assert.StartsWith("malformed 413", came[0]);
        Assert.True(await EndsAsync());
    }

    [Fact]
    public async Task What_comes_while_reading_is_paused_comes_after_it_is_resumed_and_is_not_lost_by_the_peers_end()
    {
        Messages messages = await OpenAsync();
        _peer.Send([.. Message(1, "pause"u8), .. Message(2, "waits"u8)]);
        await messages.Paused.WaitAsync(Limit);
        _peer.Send(Message(3, "waits too"u8));
        _peer.Shutdown(SocketShutdown.Send);
        Assert.Equal(["1: pause"], OnLoopThread.Run(_loop, () => messages.Came.ToArray()));
        OnLoopThread.Run(_loop, messages.ResumeReading);
        Assert.Equal(["1: pause", "2: waits", "3: waits too", "the peer closed the connection"], await messages.Ended.WaitAsync(Limit));
    }

    [Fact]
    public async Task A_close_drops_what_was_not_sent_and_a_flush_before_it_does_not()
    {
        Messages messages = await OpenAsync();
        OnLoopThread.Run(_loop, () =>
        {
            MessageWriter.WriteClose(messages.Output, 5);
            messages.FlushAndClose("a test");
            messages.FlushAndClose("again");
            messages.Close("again");
        });
        Assert.Equal(["a test"], await messages.Ended.WaitAsync(Limit));
        Assert.InRange(await _peer.ReceiveAsync(new byte[64]).WaitAsync(Limit), 1, 64);
        Assert.True(await EndsAsync());
    }

    private async Task<bool> EndsAsync()
    {
        try
        {
            return await _peer.ReceiveAsync(new byte[64]).WaitAsync(Limit) == 0;
        }
        catch (SocketException)
        {
            return true; // a reset: it had not read all
        }
    }

    private async Task<Messages> OpenAsync(ProtocolLimits? limits = null)
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await _peer.ConnectAsync(listener.LocalEndPoint!);
        using Socket own = await listener.AcceptAsync();
        Messages messages = new(_loop, DescriptorCopy.Of((int)own.Handle), limits ?? ProtocolLimits.Default);
        _loop.Start("test");
        OnLoopThread.Run(_loop, messages.Open);
        return messages;
    }

    /// <summary>A chunk as it goes over the wire.</summary>
    private static byte[] Message(ulong channel, ReadOnlySpan<byte> data)
    {
        PipeSink sink = new(new BufferPool());
        MessageWriter.WriteChunk(sink, channel, new Payload(data), bin: true);
        return sink.Written().ToArray();
    }

    private sealed class Messages(EventLoop loop, int descriptor, ProtocolLimits limits) : MessageConnection(loop, descriptor, limits)
    {
        private readonly TaskCompletionSource<List<string>> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _paused = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public List<string> Came { get; } = [];

        public Task<List<string>> Ended => _ended.Task;

        public Task Paused => _paused.Task;

        protected override void OnMessage(in MessageView message, HeaderStatus headers)
        {
            byte[] data = message.Data.IsContiguous ? message.Data.Span.ToArray() : message.Data.Sequence.ToArray();
            string text = data.Length > 100 ? Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(data)) : System.Text.Encoding.UTF8.GetString(data);
            Came.Add($"{message.Layout.Channel}: {text}");
            if (text == "pause")
            {
                PauseReading();
                _paused.SetResult();
            }
        }

        protected override void OnMalformed(ulong? channel, int code, string problem) => Came.Add($"malformed {code} on {channel}: {problem}");

        protected override void OnClosed(string reason)
        {
            Came.Add(reason);
            _ended.SetResult(Came);
        }
    }
}
