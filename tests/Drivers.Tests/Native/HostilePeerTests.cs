using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.Native;

public class HostilePeerTests
{
    [Fact]
    public async Task What_a_bad_peer_sends_costs_only_its_own_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await using CocaineClient good = await TestNode.ConnectAsync(app);
        byte[][] attacks =
        [
            Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\n\r\n"),
            [0x93, 1, 0, 0x91, 0xc6, 0xff, 0xff, 0xff, 0xff],
            [0x93, 1, 0, .. Enumerable.Repeat((byte)0x91, 10_000)],
            [0xdd, 0xff, 0xff, 0xff, 0xff],
            [0x94, 1, 0, 0x91, 0xa4, .. "echo"u8, 0x91, 0xcd, 0xff, 0xff],
            [0xc1],
        ];
        foreach (byte[] attack in attacks)
        {
            using Socket socket = await ConnectAsync(app);
            socket.Send(attack);
            await ReadToEndAsync(socket);
            Assert.Equal("fine", Encoding.UTF8.GetString(await good.CallAsync("echo", Utf8.Of("fine"))));
        }

        Assert.Contains($"\"malformed\":{attacks.Length}", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_malformed_use_of_a_channel_is_an_error_on_it_and_the_connection_goes_on()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using Socket socket = await ConnectAsync(app);
        MemorySink sink = new();
        MessageWriter.WriteEmpty(sink, 1, 9);            // no such method
        MessageWriter.WriteEmpty(sink, 2, 0);            // enqueue without an event
        MessageWriter.WriteEnqueue(sink, 3, "echo"u8, default, bin: false);
        MessageWriter.WriteEmpty(sink, 3, 7);            // no such message on an open channel
        MessageWriter.WriteClose(sink, 3);               // late now
        MessageWriter.WriteEnqueue(sink, 4, "echo"u8, default, bin: false);
        MessageWriter.WriteChunk(sink, 4, new Payload("good"u8), bin: false);
        MessageWriter.WriteClose(sink, 4);
        MessageWriter.WriteEnqueue(sink, 5, "echo"u8, [0x91, 0x93, 0xc2, 0xaf, .. "request_timeout"u8, 0xa4, .. "soon"u8], bin: false);
        socket.Send(sink.Written);
        List<string> answers = await ReadMessagesAsync(socket, 6);
        Assert.Equal(["1 error 400", "2 error 400", "3 error 400", "4 chunk good", "4 close", "5 error 400"], answers.Order());
    }

    [Fact]
    public async Task One_byte_at_a_time_is_slow_and_right()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using Socket socket = await ConnectAsync(app);
        MemorySink sink = new();
        MessageWriter.WriteEnqueue(sink, 1, "echo"u8, default, bin: true);
        MessageWriter.WriteChunk(sink, 1, new Payload("slow"u8), bin: true);
        MessageWriter.WriteClose(sink, 1);
        foreach (byte one in sink.Written.ToArray())
        {
            socket.Send([one]);
            await Task.Yield();
        }

        Assert.Equal(["1 chunk slow", "1 close"], await ReadMessagesAsync(socket, 2));
    }

    [Fact]
    public async Task A_worker_that_scribbles_over_its_segment_costs_only_itself()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py",
            new EngineSettings { RetryLimit = 0, PoolLimit = 2, HeartbeatTimeoutMs = 5000 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 5; i++)
        {
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() =>
                client.CallAsync("scribble", default(ReadOnlyMemory<byte>)));
            Assert.True(failure.Code is 502 or 504, failure.Message);
            Assert.Equal("whole", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("whole"))));
        }
    }

    /// <summary>Each answer is a thousand bytes and more, to a question of five: a node that answered on would fill its memory.</summary>
    [Fact]
    public async Task A_client_that_asks_and_does_not_read_is_not_read_either_and_gets_every_answer_when_it_reads()
    {
        const int Questions = 20_000;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using Socket socket = await ConnectAsync(app);
        MemorySink sink = new();
        for (uint channel = 1; channel <= Questions; channel++)
        {
            MessageWriter.WriteEmpty(sink, channel, 1); // info
        }

        Task sending = Task.Run(() => socket.Send(sink.Written));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        (bool isPaused, long unsent, int answerBytes) = (false, 0, (await app.InfoJsonAsync()).Length);
        while (!isPaused)
        {
            limit.Token.ThrowIfCancellationRequested();
            await loop.RunAsync(() =>
            {
                NativeConnection connection = ((NativeServer)app.Drivers[0]).Connections.Single();
                (isPaused, unsent) = (connection.IsReadingPaused, connection.Output.PendingBytes);
            });
        }

        Assert.InRange(unsent, 1, (1 << 20) + (2 * answerBytes));
        byte[] buffer = new byte[1 << 20];
        int kept = 0;
        ulong next = 1;
        while (next <= Questions)
        {
            int received = await socket.ReceiveAsync(buffer.AsMemory(kept), limit.Token);
            Assert.True(received > 0, "the connection was closed");
            kept += received;
            int taken = 0;
            while (MessageDecoder.Decode(buffer.AsSpan(taken, kept - taken), ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                Assert.Equal(next++, layout.Channel);
                taken += layout.TotalBytes;
            }

            buffer.AsSpan(taken, kept - taken).CopyTo(buffer);
            kept -= taken;
        }

        await sending;
    }

    private static async Task<Socket> ConnectAsync(RunningApp app)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPEndPoint.Parse(app.Endpoints[0].Endpoint["tcp://".Length..]));
        return socket;
    }

    private static async Task ReadToEndAsync(Socket socket)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer, limit.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end too: the node closed while bytes of ours were still unread.
        }
    }

    private static async Task<List<string>> ReadMessagesAsync(Socket socket, int count)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(10));
        List<byte> bytes = [];
        List<string> messages = [];
        byte[] buffer = new byte[4096];
        while (messages.Count < count)
        {
            int received = await socket.ReceiveAsync(buffer, limit.Token);
            Assert.True(received > 0, "the connection was closed");
            bytes.AddRange(buffer.AsSpan(0, received));
            while (MessageDecoder.Decode(bytes.ToArray(), ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
            {
                messages.Add($"{layout.Channel} " + layout.Type switch
                {
                    0 => "chunk " + Encoding.UTF8.GetString([.. bytes.GetRange(layout.DataOffset, layout.DataLength)]),
                    1 => $"error {layout.Code}",
                    _ => "close",
                });
                bytes.RemoveRange(0, layout.TotalBytes);
            }
        }

        return messages;
    }
}
