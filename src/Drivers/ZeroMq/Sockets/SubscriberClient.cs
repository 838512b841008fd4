using System.Text;
using System.Threading.Channels;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>A SUB socket of a watching client, on a loop of its own. Messages of two frames come through a channel.</summary>
internal sealed class SubscriberClient : IDisposable
{
    /// <summary>The most messages that wait for a slow reader; beyond it the publisher waits, and then drops messages.</summary>
    private const int MaxWaiting = 10_000;

    /// <summary>The loop waits for nothing: it ends at once.</summary>
    private static readonly TimeSpan EndTimeout = TimeSpan.FromSeconds(5);

    private readonly Channel<(string Topic, byte[] Value)> _messages =
        Channel.CreateBounded<(string, byte[])>(new BoundedChannelOptions(MaxWaiting) { SingleWriter = true });

    private readonly EventLoop _loop = new(NullLogger.Instance);
    private readonly ZeroMqSocket _socket;

    /// <summary>Connects to an endpoint, and connects again whenever the connection is lost.</summary>
    /// <exception cref="IOException">The endpoint cannot be used.</exception>
    public SubscriberClient(string endpoint, string prefix)
    {
        _socket = new ZeroMqSocket(
            _loop, SocketKind.Sub, "watch", NullLogger.Instance, new ClosingSockets(), OnMessage, dropped: null);
        try
        {
            _socket.Open(new ZeroMqSocketOptions([endpoint], HighWaterMark: 1) { Connects = true, Topics = [prefix] });
            _loop.Start("watch"); // the socket belongs to the thread from here on: starting a thread is a full fence
        }
        catch
        {
            _loop.Dispose();
            throw;
        }
    }

    /// <summary>The published messages, until this client is disposed.</summary>
    public ChannelReader<(string Topic, byte[] Value)> Messages => _messages.Reader;

    public void Dispose()
    {
        _loop.Post(() =>
        {
            _socket.Close();
            _loop.Stop();
        });
        _loop.Join(EndTimeout);
        _loop.Dispose();
        _messages.Writer.TryComplete();
    }

    private bool OnMessage(ZeroMqConnection peer, FrameList message)
    {
        if (message.Count != 2 || _messages.Writer.TryWrite((Encoding.UTF8.GetString(message[0]), message[1].ToArray())))
        {
            return true;
        }

        _messages.Writer.WaitToWriteAsync().AsTask().ContinueWith(
            _ => _loop.Post(peer.ResumeNow), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return false;
    }
}
