using System.Threading.Channels;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>A SUB socket of a watching client. Messages of two frames come through a channel, on a thread of its own.</summary>
internal sealed class SubscriberClient : IDisposable
{
    /// <summary>The most messages that wait for a slow reader; beyond it the publisher drops messages.</summary>
    private const int HighWaterMark = 10_000;

    /// <summary>The longest time until the thread notices that it has to end.</summary>
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);

    private readonly Channel<(string Topic, byte[] Value)> _messages =
        Channel.CreateBounded<(string, byte[])>(new BoundedChannelOptions(HighWaterMark) { SingleWriter = true });

    private readonly CancellationTokenSource _ends = new();
    private readonly Thread _thread;
    private readonly SubscriberSocket _socket = new();
    private bool _disposed;

    /// <summary>Connects to an endpoint, and connects again whenever the connection is lost.</summary>
    /// <exception cref="IOException">The endpoint cannot be used.</exception>
    public SubscriberClient(string endpoint, string prefix)
    {
        try
        {
            _socket.Options.ReceiveHighWatermark = HighWaterMark;
            _socket.Options.IPv4Only = false;
            _socket.Options.Linger = TimeSpan.Zero;
            _socket.Subscribe(prefix);
            _socket.Connect(Transport.Sockets.Endpoint.Describe(ZeroMqEndpoint.ToConnect(endpoint)));
            _thread = new Thread(Receive) { Name = "watch", IsBackground = true };
            _thread.Start(); // the socket belongs to the thread from here on: starting a thread is a full fence
        }
        catch
        {
            _socket.Dispose();
            _ends.Dispose();
            throw;
        }
    }

    /// <summary>The published messages, until this client is disposed.</summary>
    public ChannelReader<(string Topic, byte[] Value)> Messages => _messages.Reader;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _ends.Cancel();
        _thread.Join();
        _ends.Dispose();
    }

    private void Receive()
    {
        try
        {
            NetMQMessage message = [];
            while (!_ends.IsCancellationRequested)
            {
                if (_socket.TryReceiveMultipartMessage(Slice, ref message!) && message.FrameCount == 2)
                {
                    _messages.Writer.WriteAsync((message[0].ConvertToString(), message[1].ToByteArray()), _ends.Token)
                        .AsTask().GetAwaiter().GetResult();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // expected: the client is disposed while its reader does not read
        }
        finally
        {
            _socket.Dispose();
            _messages.Writer.TryComplete();
        }
    }
}
