using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Tests.Loop;

public sealed class SendBatchTests
{
    /// <summary>More connections than one call takes are answered in one turn, again and again, while others go away unheard.</summary>
    [Fact]
    public async Task Every_peer_gets_its_own_bytes_while_others_reset_their_connections()
    {
        const int Peers = 600, Rounds = 40;
        using FaultLog faults = new();
        using EventLoop loop = new(faults);
        List<Echo> echoes = [];
        List<Socket> peers = await ConnectAsync(Peers, descriptor => echoes.Add(new Echo(loop, descriptor)));
        loop.Post(() => echoes.ForEach(echo => echo.Open()));
        loop.Start("test");
        await Task.WhenAll(peers.Select((peer, index) => Task.Run(async () =>
        {
            byte[] sent = new byte[1000 + index], received = new byte[sent.Length];
            Random.Shared.NextBytes(sent);
            int rounds = index % 3 == 0 ? index % Rounds : Rounds; // every third goes in the middle, with a request under way
            for (int round = 0; round < rounds; round++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(sent, (index << 16) | round);
                await peer.SendAsync(sent);
                for (int at = 0; at < received.Length;)
                {
                    int count = await peer.ReceiveAsync(received.AsMemory(at)).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
                    Assert.True(count > 0);
                    at += count;
                }

                Assert.True(sent.AsSpan().SequenceEqual(received), $"peer {index}, round {round}");
            }

            await peer.SendAsync(sent);
            peer.Close(0);
        })));
        Assert.Empty(faults.Lines);
    }

    /// <summary>What is told its result may close others of the same batch, with and without sending what they have first.</summary>
    [Fact]
    public async Task A_result_may_close_others_whose_result_is_not_told_yet()
    {
        using FaultLog faults = new();
        using EventLoop loop = new(faults);
        List<Echo> echoes = [];
        List<Socket> peers = await ConnectAsync(8, descriptor => echoes.Add(new Echo(loop, descriptor)));
        echoes[0].Sent = () =>
        {
            echoes[5].Close("a test");
            echoes[6].FlushAndClose("a test");
        };
        loop.Post(() => echoes.ForEach(echo =>
        {
            echo.Open();
            echo.Write("answer"u8);
        }));
        loop.Start("test");
        for (int i = 0; i < peers.Count; i++)
        {
            // The fifth is closed without a flush: where the kernel has no io_uring that is before its own send.
            int count = await peers[i].ReceiveAsync(new byte[16]).WaitAsync(TimeSpan.FromSeconds(10));
            Assert.True(count == 6 || (i == 5 && count == 0), $"{i}: {count}");
        }

        Assert.Equal(0, await peers[5].ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Equal(0, await peers[6].ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(10)));
        peers.ForEach(peer => peer.Dispose());
        Assert.Empty(faults.Lines);
    }

    private static async Task<List<Socket>> ConnectAsync(int count, Action<int> accepted)
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(count);
        List<Socket> peers = [];
        for (int i = 0; i < count; i++)
        {
            Socket peer = new(SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(listener.LocalEndPoint!);
            using Socket own = await listener.AcceptAsync();
            accepted(DescriptorCopy.Of((int)own.Handle));
            peers.Add(peer);
        }

        return peers;
    }

    private sealed class Echo(EventLoop loop, int descriptor) : SocketConnection(loop, descriptor)
    {
        public Action Sent { get; set; } = () => { };

        public void Write(ReadOnlySpan<byte> bytes)
        {
            Output.WriteLong(bytes, default, default);
            ScheduleSend();
        }

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            Output.WriteLong(default, new Payload(in buffer), default);
            ScheduleSend();
            return buffer.Length;
        }

        protected override void OnClosed(string reason)
        {
        }

        protected override void OnSent()
        {
            Action sent = Sent;
            Sent = () => { };
            sent();
        }
    }

    /// <summary>What the loop logs: faults of handlers.</summary>
    private sealed class FaultLog : ILogger, IDisposable
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error; // a busy machine may hold the loop up, which is no fault of it

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                Lines.Enqueue($"{formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
