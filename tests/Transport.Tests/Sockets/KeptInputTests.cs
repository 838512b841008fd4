using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tests.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Sockets;

/// <summary>Received bytes that somebody keeps stay as they are, whatever comes later, and all memory goes back in the end.</summary>
public sealed class KeptInputTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly Socket _peer = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    public void Dispose()
    {
        _peer.Dispose();
        _loop.Dispose();
    }

    [Theory]
    [InlineData(100, 1)]
    [InlineData(5_000, 2)]
    [InlineData(200_000, 3)]
    [InlineData(2_000_000, 4)]
    public async Task Kept_bytes_stay_while_others_come_and_all_blocks_go_back(int mostAtOnce, int seed)
    {
        Random random = new(seed);
        byte[] bytes = new byte[Math.Min(40_000 + (mostAtOnce * 20), 20_000_000)];
        random.NextBytes(bytes);
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        await _peer.ConnectAsync(listener.LocalEndPoint!);
        using Socket own = await listener.AcceptAsync();
        Keeper keeper = new(_loop, DescriptorCopy.Of((int)own.Handle), bytes, seed);
        _loop.Start("test");
        OnLoopThread.Run(_loop, keeper.Open);
        for (int at = 0; at < bytes.Length;)
        {
            at += await _peer.SendAsync(bytes.AsMemory(at, Math.Min(random.Next(1, mostAtOnce), bytes.Length - at)));
            if (random.Next(20) == 0)
            {
                OnLoopThread.Run(_loop, keeper.DropSome); // also while the connection has nothing else in its last block
            }
        }

        Assert.Equal("", await keeper.Whole.WaitAsync(Limit));
        OnLoopThread.Run(_loop, keeper.DropAll);
        Assert.Equal(0, OnLoopThread.Run(_loop, () => _loop.Buffers.SizeBytes - _loop.Buffers.KeptBytes)); // though the connection is open
        _peer.Send("more"u8);
        OnLoopThread.Run(_loop, () => keeper.Close("the test is over"));
        Assert.Equal(0, OnLoopThread.Run(_loop, () => _loop.Buffers.SizeBytes - _loop.Buffers.KeptBytes));
    }

    /// <summary>Takes as many bytes as it likes, and keeps parts of them.</summary>
    private sealed class Keeper(EventLoop loop, int descriptor, byte[] expected, int seed) : SocketConnection(loop, descriptor)
    {
        private readonly TaskCompletionSource<string> _whole = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Random _random = new(seed);
        private readonly List<(int At, ReadOnlySequence<byte> Bytes)> _kept = [];
        private int _taken;

        public Task<string> Whole => _whole.Task;

        public void DropSome()
        {
            for (int i = _kept.Count - 1; i >= 0; i--)
            {
                if (_random.Next(2) == 0)
                {
                    Drop(i);
                }
            }
        }

        public void DropAll()
        {
            while (_kept.Count > 0)
            {
                Drop(_kept.Count - 1);
            }
        }

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            long left = expected.Length - _taken;
            long taken = buffer.Length == left ? left : _random.NextInt64(buffer.Length + 1);
            if (taken > 0)
            {
                long start = _random.NextInt64(taken);
                ReadOnlySequence<byte> part = buffer.Slice(start, _random.NextInt64(taken - start) + 1);
                if (SharedSegment.TryKeep(in part))
                {
                    _kept.Add((_taken + (int)start, part));
                }

                if (!buffer.Slice(0, taken).ToArray().AsSpan().SequenceEqual(expected.AsSpan(_taken, (int)taken)))
                {
                    _whole.TrySetResult($"other bytes at {_taken}");
                }
            }

            _taken += (int)taken;
            if (_taken == expected.Length)
            {
                _whole.TrySetResult("");
            }

            return taken;
        }

        protected override void OnClosed(string reason) => _whole.TrySetResult(reason);

        private void Drop(int index)
        {
            (int at, ReadOnlySequence<byte> bytes) = _kept[index];
            _kept.RemoveAt(index);
            if (!bytes.ToArray().AsSpan().SequenceEqual(expected.AsSpan(at, (int)bytes.Length)))
            {
                _whole.TrySetResult($"kept bytes at {at} have changed");
                Assert.Fail($"kept bytes at {at} have changed");
            }

            SharedSegment.Drop(in bytes);
        }
    }
}
