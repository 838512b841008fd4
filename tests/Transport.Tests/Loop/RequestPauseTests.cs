using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>A slave without room keeps requests in their sockets for a moment, and no longer, whatever the slave does.</summary>
public sealed class RequestPauseTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly EventLoop _loop = new(NullLogger.Instance);

    public void Dispose() => _loop.Dispose();

    [Fact]
    public async Task Requests_of_all_connections_are_read_though_a_slave_never_has_room()
    {
        using Socket listener = new(SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _loop.Start("test");
        List<(Socket Peer, Door Door)> peers = [];
        for (int i = 0; i < 8; i++)
        {
            Socket peer = new(SocketType.Stream, ProtocolType.Tcp);
            await peer.ConnectAsync(listener.LocalEndPoint!);
            using Socket own = await listener.AcceptAsync();
            Door door = new(_loop, DescriptorCopy.Of((int)own.Handle));
            OnLoopThread.Run(_loop, door.Open);
            peers.Add((peer, door));
        }

        for (int round = 1; round <= 20; round++)
        {
            foreach ((Socket peer, Door _) in peers)
            {
                peer.Send("request"u8);
            }

            // Each read finds the slave without room once more, as the first long request of each would.
            await Task.WhenAll(peers.Select(peer => peer.Door.HasReadAsync(7 * round))).WaitAsync(Limit);
        }

        peers.ForEach(peer => peer.Peer.Dispose());
    }

    [Fact]
    public async Task A_bell_is_heard_while_requests_wait()
    {
        using EventDescriptor bell = new();
        Ringing ringing = new(_loop);
        _loop.Start("test");
        OnLoopThread.Run(_loop, () => _loop.WatchBell(ringing, bell.Descriptor));
        for (int i = 1; i <= 100; i++)
        {
            OnLoopThread.Run(_loop, _loop.Requests.Begin);
            Task heard = ringing.NextAsync();
            bell.Ring();
            await heard.WaitAsync(Limit);
        }

        OnLoopThread.Run(_loop, () => _loop.ForgetBell(ringing, bell.Descriptor));
    }

    private sealed class Door(EventLoop loop, int descriptor) : SocketConnection(loop, descriptor)
    {
        private readonly Lock _lock = new();
        private long _read;
        private long _wanted;
        private TaskCompletionSource _hasRead = new();

        public override bool BringsRequests => true;

        public Task HasReadAsync(long bytes)
        {
            lock (_lock)
            {
                _hasRead = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _wanted = bytes;
                Check();
                return _hasRead.Task;
            }
        }

        protected override long OnReceived(in ReadOnlySequence<byte> buffer)
        {
            Loop.Requests.Begin();
            lock (_lock)
            {
                _read += buffer.Length;
                Check();
            }

            return buffer.Length;
        }

        protected override void OnClosed(string reason)
        {
        }

        private void Check()
        {
            if (_read >= _wanted)
            {
                _hasRead.TrySetResult();
            }
        }
    }

    private sealed class Ringing(EventLoop loop) : LoopHandler
    {
        private volatile TaskCompletionSource _heard = new();

        public Task NextAsync() => (_heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public override void OnReady(uint events)
        {
            loop.Requests.End();
            _heard.TrySetResult();
        }
    }
}
