using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Web;

/// <summary>
/// Listens as every door of the node does, on a loop, and gives the connections to the server of HTTP. So the node's rules hold here too:
/// for names of hosts, ports that are taken, Unix sockets that were left behind, and the last descriptors.
/// </summary>
internal sealed class DoorListener(EventLoop loop, Endpoint endpoint, ILogger log) : IConnectionListenerFactory, IConnectionListener
{
    /// <summary>The most connections: a few servers of metrics and some people.</summary>
    public const int MostConnections = 64;

    /// <summary>The name of this place for the server; the addresses are the endpoint's.</summary>
    public static readonly EndPoint Place = new NamedPlace();

    /// <summary>
    /// Every user may connect, as to an address of this host: a server of metrics has a user of its own. The folder decides.
    /// </summary>
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    // Connections that the server has not taken yet; one more is closed at once.
    private readonly Channel<Socket> _accepted = Channel.CreateBounded<Socket>(MostConnections);
    private readonly SocketConnectionContextFactory _connections = new(new SocketConnectionFactoryOptions(), log);
    private IReadOnlyList<Listener> _listeners = [];

    public EndPoint EndPoint => Place;

    public IReadOnlyList<string> Endpoints => [.. _listeners.Select(listener => Endpoint.Describe(listener.Address))];

    public async ValueTask<IConnectionListener> BindAsync(EndPoint place, CancellationToken cancellationToken = default)
    {
        await loop.RunAsync(() =>
        {
            _listeners = Listener.Bind(loop, endpoint, MostConnections, Mode, Accept);
            foreach (Listener listener in _listeners)
            {
                listener.Open();
            }
        });
        return this;
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            return _connections.Create(await _accepted.Reader.ReadAsync(cancellationToken));
        }
        catch (ChannelClosedException)
        {
            return null;
        }
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        IReadOnlyList<Listener> listeners = Interlocked.Exchange(ref _listeners, []);
        if (listeners.Count > 0)
        {
            // A loop that is stuck, or has ended, runs nothing: the server must end all the same.
            Task closed = loop.RunAsync(() =>
            {
                foreach (Listener listener in listeners)
                {
                    listener.Dispose();
                }
            });
            await Task.WhenAny(closed, Task.Delay(TimeSpan.FromSeconds(1), cancellationToken));
        }

        _accepted.Writer.TryComplete();
    }

    public ValueTask DisposeAsync()
    {
        while (_accepted.Reader.TryRead(out Socket? left))
        {
            left.Dispose();
        }

        _connections.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>On the loop.</summary>
    private void Accept(int descriptor)
    {
        Socket socket = new(new SafeSocketHandle(descriptor, ownsHandle: true));
        if (!_accepted.Writer.TryWrite(socket))
        {
            socket.Dispose();
        }
    }

    private sealed class NamedPlace : EndPoint
    {
        public override string ToString() => "web";
    }
}
