using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>A listening socket on a loop; hands each accepted descriptor to its owner.</summary>
/// <remarks>Safety: the accepted descriptor belongs to the owner from the call of <c>accepted</c> on.</remarks>
internal sealed unsafe class Listener : LoopHandler, IDisposable
{
    /// <summary>Connections taken in one event, so that a flood of them does not hold up the others' requests.</summary>
    private const int MaxAcceptsPerEvent = 64;

    private const int NonBlocking = 0x800, CloseOnExec = 0x80000;
    private const int SocketLevel = 1, ReuseAddress = 2;
    private readonly EventLoop _loop;
    private Action<int> _accepted;
    private readonly Socket _socket;
    private readonly bool _isTcp;

    private Listener(EventLoop loop, Socket socket, Action<int> accepted)
    {
        _loop = loop;
        _socket = socket;
        _accepted = accepted;
        _isTcp = socket.AddressFamily != AddressFamily.Unix;
        Address = socket.LocalEndPoint!;
    }

    public EndPoint Address { get; }

    /// <summary>Binds every address of the endpoint; one port for all when the port is 0.</summary>
    /// <exception cref="IOException">An address cannot be bound; nothing stays bound then.</exception>
    public static IReadOnlyList<Listener> Bind(EventLoop loop, Endpoint endpoint, int backlog, UnixFileMode mode, Action<int> accepted)
    {
        List<Listener> listeners = [];
        int port = 0;
        try
        {
            foreach (EndPoint address in endpoint.ListenAddresses())
            {
                EndPoint bound = address is IPEndPoint { Port: 0 } ip && port != 0 ? new IPEndPoint(ip.Address, port) : address;
                Listener listener = new(loop, OpenSocket(bound, backlog, mode), accepted);
                listeners.Add(listener);
                port = (listener.Address as IPEndPoint)?.Port ?? 0;
            }
        }
        catch (SocketException failure)
        {
            listeners.ForEach(listener => listener.Dispose());
            throw new IOException($"cannot listen on {endpoint}: {failure.Message}", failure);
        }

        return listeners;
    }

    /// <summary>Begins to accept; on the loop's thread.</summary>
    public void Open() => _loop.Watch(this, (int)_socket.Handle, Epoll.In);

    /// <summary>From now on another owner gets what is accepted; on the loop's thread. Connections in the backlog stay in it.</summary>
    public void HandTo(Action<int> accepted, int backlog)
    {
        _accepted = accepted;
        _socket.Listen(backlog); // on a socket that listens it changes the bound only
    }

    public override void OnReady(uint events)
    {
        for (int i = 0; i < MaxAcceptsPerEvent; i++)
        {
            int descriptor = LibC.accept4((int)_socket.Handle, null, null, NonBlocking | CloseOnExec);
            if (descriptor < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error is LibC.EINTR or LibC.ECONNRESET or 103 /* ECONNABORTED: gone before it was taken */)
                {
                    continue;
                }

                return; // EAGAIN, or no descriptors left: the connection stays in the backlog and the next event tries again
            }

            if (_isTcp)
            {
                SocketTuning.Apply(descriptor);
            }

            _accepted(descriptor);
        }
    }

    public void Dispose()
    {
        if (Slot >= 0)
        {
            _loop.Forget(this, (int)_socket.Handle);
        }

        _socket.Dispose();
        if (Address is UnixDomainSocketEndPoint unix)
        {
            File.Delete(unix.ToString());
        }
    }

    private static Socket OpenSocket(EndPoint address, int backlog, UnixFileMode mode)
    {
        bool unix = address is UnixDomainSocketEndPoint;
        Socket socket = new(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            socket.Blocking = false;
            if (unix)
            {
                RemoveStale(address);
            }
            else
            {
                // Not ReuseAddress of .NET: that sets SO_REUSEPORT too, and a port that is taken would be shared without a word.
                int one = 1;
                socket.SetRawSocketOption(SocketLevel, ReuseAddress, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in one)));
                if (address is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6)
                {
                    socket.DualMode = v6.Address.Equals(IPAddress.IPv6Any);
                }
            }

            socket.Bind(address);
            if (unix)
            {
                File.SetUnixFileMode(address.ToString()!, mode);
            }

            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket file that nobody listens on is what a killed node left behind.</summary>
    private static void RemoveStale(EndPoint address)
    {
        string path = address.ToString()!;
        if (!File.Exists(path))
        {
            return;
        }

        using Socket probe = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(address);
        }
        catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionRefused)
        {
            File.Delete(path);
        }
    }
}
