using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Limits;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Trust;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>A listening socket on a loop; passes each accepted descriptor to its owner.</summary>
/// <remarks>
/// Safety: the accepted descriptor belongs to the owner from the call of <c>accepted</c> on. The socket and the file of a Unix socket are
/// given back once; the file only as long as it is the file that was bound here.
/// </remarks>
internal sealed unsafe class Listener : LoopHandler, IDisposable
{
    /// <summary>Connections taken in one event, so that a flood of them does not hold up the others' requests.</summary>
    private const int MaxAcceptsPerEvent = 64;

    private const int SocketLevel = 1, ReuseAddress = 2;
    private readonly EventLoop _loop;
    private Action<int> _accepted;
    private readonly Socket _socket;
    private readonly bool _isTcp;
    private readonly byte[] _hostsChoice; // the congestion control of connections to other hosts; empty for Unix sockets
    private readonly int _lastDescriptor;
    private readonly ResumeTimer _resume;
    private readonly UnixName? _name; // null for TCP
    private bool _disposed;

    private Listener(
        EventLoop loop, EndPoint address, Socket socket, UnixName? name, byte[] hostsChoice, Action<int> accepted, bool mayUseReserve)
    {
        _hostsChoice = hostsChoice;
        _lastDescriptor = mayUseReserve ? int.MaxValue : DescriptorReserve.LastForConnections;
        _resume = new ResumeTimer(this);
        _loop = loop;
        _socket = socket;
        _accepted = accepted;
        _name = name;
        _isTcp = name is null;
        Address = name is null ? socket.LocalEndPoint! : address;
    }

    public EndPoint Address { get; }

    /// <summary>Only programs on this host can connect: a Unix socket, or a loopback address.</summary>
    public bool IsOnThisHost => Address is not IPEndPoint at || IPAddress.IsLoopback(at.Address);

    /// <summary>Binds every address of the endpoint, all with the same port when the port is 0.</summary>
    /// <exception cref="IOException">An address cannot be bound; nothing stays bound then.</exception>
    /// <param name="loop">The loop that the listener lives on.</param>
    /// <param name="endpoint">The endpoint to listen on.</param>
    /// <param name="backlog">Connections that may wait to be accepted.</param>
    /// <param name="mode">The users that may connect to a Unix socket.</param>
    /// <param name="accepted">Gets each descriptor.</param>
    /// <param name="mayUseReserve">The listener's connections belong to the node itself: see <see cref="DescriptorReserve"/>.</param>
    public static IReadOnlyList<Listener> Bind(
        EventLoop loop, Endpoint endpoint, int backlog, UnixFileMode mode, Action<int> accepted, bool mayUseReserve = false)
    {
        if (endpoint.Path is { } path && !mayUseReserve
            && PrivateFolder.Problem(Path.GetDirectoryName(path)!, mayBeShared: true) is { } problem)
        {
            loop.WarnOfFolder(endpoint.Text, problem);
        }

        List<Listener> listeners = [];
        EndPoint? bound = null;
        try
        {
            IReadOnlyList<EndPoint> addresses = endpoint.ListenAddresses();
            int missing = 0; // addresses that this machine does not have
            foreach (EndPoint address in addresses)
            {
                int port = listeners.Count > 0 ? (listeners[0].Address as IPEndPoint)?.Port ?? 0 : 0;
                bound = address is IPEndPoint { Port: 0 } ip && port != 0 ? new IPEndPoint(ip.Address, port) : address;
                try
                {
                    Socket socket = OpenSocket(bound, backlog, mode, out UnixName? name, out byte[] hostsChoice);
                    listeners.Add(new Listener(loop, bound, socket, name, hostsChoice, accepted, mayUseReserve));
                }
                catch (SocketException failure) when (IsMissing(failure, endpoint) && ++missing < addresses.Count)
                {
                    // A name may have addresses of a family that is switched off: ::1 in a container. The others serve it.
                }
            }
        }
        catch (Exception failure)
        {
            listeners.ForEach(listener => listener.Dispose());
            if (failure is SocketException or IOException or UnauthorizedAccessException)
            {
                string at = bound is IPEndPoint && endpoint.IsName ? $"{bound}: " : "";
                throw new IOException($"cannot listen on {endpoint}: {at}{failure.Message}", failure);
            }

            throw;
        }

        return listeners;
    }

    private static bool IsMissing(SocketException failure, Endpoint endpoint) => endpoint.IsName
        && failure.SocketErrorCode is SocketError.AddressNotAvailable or SocketError.AddressFamilyNotSupported;

    /// <summary>Begins to accept; on the loop's thread.</summary>
    public void Open() => _loop.Watch(this, (int)_socket.Handle, Epoll.In);

    /// <summary>
    /// From now on another owner gets the accepted connections; on the loop's thread. Connections in the backlog stay there.
    /// </summary>
    public void HandTo(Action<int> accepted, int backlog)
    {
        _accepted = accepted;
        _socket.Listen(backlog); // on a listening socket this only changes the bound
    }

    /// <summary>Sets the users that may connect to a Unix socket from now on; a TCP socket has none.</summary>
    /// <exception cref="IOException">The socket's file is gone.</exception>
    /// <exception cref="UnauthorizedAccessException">The socket's file belongs to another user.</exception>
    public void SetMode(UnixFileMode mode)
    {
        if (!_isTcp)
        {
            File.SetUnixFileMode(Address.ToString()!, mode);
        }
    }

    /// <summary>A Unix socket that is no longer at its path: nobody can connect to it any more.</summary>
    public bool IsUnreachable => _name is { IsInPlace: false };

    public override void OnReady(uint events)
    {
        // Slot: an owner that needs no more connections disposes of this listener, and then the descriptor's number may belong to another
        // file.
        for (int i = 0; i < MaxAcceptsPerEvent && Slot >= 0; i++)
        {
            int descriptor = LibC.accept4((int)_socket.Handle, null, null, LibC.O_NONBLOCK | LibC.O_CLOEXEC);
            if (descriptor < 0)
            {
                int error = Marshal.GetLastPInvokeError();
                if (error is LibC.EINTR or LibC.ECONNRESET or LibC.ECONNABORTED /* gone before it was taken */)
                {
                    continue;
                }

                if (error is LibC.EMFILE or LibC.ENFILE or LibC.ENOBUFS or LibC.ENOMEM)
                {
                    Pause(); // otherwise connections in the backlog would wake the loop without end
                }

                return;
            }

            if (descriptor > _lastDescriptor)
            {
                _loop.WarnOfDescriptors(DescriptorReserve.LastForConnections);
                _ = LibC.close(descriptor); // the peer learns at once that there is no room, and can try another node
                continue;
            }

            if (_isTcp)
            {
                SocketTuning.Apply(descriptor, _hostsChoice);
            }

            _accepted(descriptor);
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _loop.Timers.Cancel(_resume);
        if (Slot >= 0)
        {
            _loop.Forget(this, (int)_socket.Handle);
        }

        _socket.Dispose();
        _name?.Remove();
    }

    /// <summary>Accepts nothing for a moment; new connections wait in the backlog.</summary>
    private void Pause()
    {
        _loop.Forget(this, (int)_socket.Handle);
        _loop.Timers.Arm(_resume, _loop.NowMs + ResumeTimer.PauseMs);
    }

    private static Socket OpenSocket(EndPoint address, int backlog, UnixFileMode mode, out UnixName? name, out byte[] hostsChoice)
    {
        name = null;
        hostsChoice = [];
        bool unix = address is UnixDomainSocketEndPoint;
        Socket socket = new(address.AddressFamily, SocketType.Stream, unix ? ProtocolType.Unspecified : ProtocolType.Tcp);
        try
        {
            socket.Blocking = false;
            if (unix)
            {
                RemoveStale(address);
                name = UnixName.Bind(socket, address.ToString()!, mode); // before it listens: until then every connect is refused
            }
            else
            {
                // Not ReuseAddress of .NET: that sets SO_REUSEPORT too, and a taken port would be shared without an error.
                int one = 1;
                socket.SetRawSocketOption(SocketLevel, ReuseAddress, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in one)));
                if (address is IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } v6)
                {
                    socket.DualMode = v6.Address.Equals(IPAddress.IPv6Any);
                }

                hostsChoice = SocketTuning.TakePacingOff((int)socket.Handle);
                socket.Bind(address);
            }

            socket.Listen(backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            name?.Remove();
            throw;
        }
    }

    /// <summary>A socket file without a listener was left behind by a killed node.</summary>
    private static void RemoveStale(EndPoint address)
    {
        string path = address.ToString()!;
        if (!File.Exists(path))
        {
            return;
        }

        if (FileStatus.TryRead(path, out FileStatus status) && !status.IsSocket)
        {
            return; // a file of somebody, and a connect to it would be refused too: the file stays, and the place is reported as taken
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

    /// <summary>Tries again to accept.</summary>
    private sealed class ResumeTimer(Listener listener) : WheelTimer
    {
        /// <summary>Short for a waiting client, and no load for a node without free descriptors.</summary>
        public const int PauseMs = 100;

        public override void OnDue(long nowMs) => listener.Open();
    }
}
