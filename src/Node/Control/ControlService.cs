using System.Net.Sockets;
using System.Numerics;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Trust;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

/// <summary>The service <c>node</c>: controls a node over a Unix socket of its own. See docs/control.md.</summary>
public sealed class ControlService : IAsyncDisposable
{
    private const int Backlog = 64;

    /// <summary>
    /// The most connections: commands and watchers of one machine's users. Users of rules share three quarters of them, so that root and
    /// the node's own user always come in.
    /// </summary>
    private const int MaxConnections = 256, MaxOfOthers = MaxConnections / 4 * 3;

    /// <summary>Connections over a bound that wait for their call, to have it refused; one more is closed without words.</summary>
    private const int MaxTurnedAway = 8;

    private readonly EventLoop _loop;
    private readonly Task _ended; // completes with the node
    private readonly ILogger _log;
    private readonly Doorkeeper _keeper;
    private readonly ControlMethods _methods;
    private readonly HashSet<ControlConnection> _connections = [];
    private readonly TurnedAway _turnedAway = new(MaxTurnedAway);
    private readonly Endpoint _at;
    private IReadOnlyList<Listener> _listeners = [];  // only the loop uses it
    private string? _remakeProblem;                   // why the socket could not be made again, null when it could; only the loop uses it
    private long _refused;                            // connections over the bound; only the loop uses it
    private int _disposed;                            // 1 from the first DisposeAsync on

    private ControlService(CocaineNode node, string endpoint, Endpoint at, IControlHost host)
    {
        _at = at;
        _loop = node.FirstLoop;
        _ended = node.Ended;
        _log = node.Log;
        _keeper = node.Doors.Keeper;
        Endpoint = endpoint;
        _methods = new ControlMethods(node, host, _log);
    }

    /// <summary>The endpoint that the service listens on.</summary>
    public string Endpoint { get; }

    /// <summary>
    /// Begins to listen. Do this before apps are added, so that commands can ask a node with slow or broken apps for its state.
    /// </summary>
    /// <param name="node">The node to control, already started.</param>
    /// <param name="endpoint"><c>ipc:///path</c>: control is for this machine only. A missing folder is made, for this user alone.</param>
    /// <param name="host">Creates, replaces and deletes apps; a <see cref="PlainControlHost"/> when no app is kept.</param>
    /// <exception cref="NodeException">The endpoint is no Unix socket, or cannot be used.</exception>
    public static async Task<ControlService> OpenAsync(CocaineNode node, string endpoint, IControlHost host)
    {
        ArgumentNullException.ThrowIfNull(node);
        try
        {
            Endpoint at = Transport.Sockets.Endpoint.Parse(endpoint);
            if (at.Path is null)
            {
                throw new FormatException($"'{endpoint}': control is for this machine only: ipc:///path");
            }

            ControlService service = new(node, endpoint, at, host);
            await service._loop.RunAsync(service.Listen);
            return service;
        }
        catch (Exception failure) when (failure is IOException or FormatException or UnauthorizedAccessException)
        {
            string advice = failure.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
                ? ": another node is controlled there, or a file is in its place; stop that one, or give this one another endpoint" : "";
            throw new NodeException($"the control endpoint: {failure.Message}{advice}", failure);
        }
    }

    /// <summary>Stops listening and ends the connections. Call this before the node is stopped.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
        {
            await Task.WhenAny(_loop.RunAsync(Close), _ended); // a loop that has ended runs no more work
        }
    }

    /// <summary>
    /// Makes the socket again when its file is gone: programs that clean up folders remove it, and then nobody could reach the node.
    /// Existing connections continue.
    /// </summary>
    internal Task RemakeAsync() => _loop.RunAsync(Remake);

    /// <summary>
    /// The mode of the socket: others may connect only when rules let them control something. The kernel's word about the peer decides
    /// then.
    /// </summary>
    private UnixFileMode Mode => UnixFileMode.UserRead | UnixFileMode.UserWrite | (_keeper.Rules.LetsUsersControl
        ? UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite : UnixFileMode.None);

    /// <summary>
    /// Other rules hold: the socket is open to the users that they name, and connections of callers that may do nothing any more end.
    /// </summary>
    internal Task OnRulesChangedAsync() => _loop.RunAsync(() =>
    {
        foreach (ControlConnection connection in _connections.Where(static connection => !connection.TryStay()).ToArray())
        {
            connection.FlushAndClose("the caller is not known any more");
        }

        try
        {
            foreach (Listener listener in _listeners)
            {
                listener.SetMode(Mode);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            ControlLog.ModeStays(_log, Endpoint, failure.Message);
        }
    });

    /// <exception cref="IOException">The folder or the socket cannot be used.</exception>
    private void Listen()
    {
        string folder = Path.GetDirectoryName(_at.Path)!;
        if (!Directory.Exists(folder))
        {
            PrivateFolder.Make(folder);
        }
        else if (PrivateFolder.Problem(folder, mayBeShared: true) is { } problem)
        {
            throw new IOException(problem);
        }

        _listeners = Listener.Bind(
            _loop, _at, Backlog, Mode, Accept, mayUseReserve: true);
        foreach (Listener listener in _listeners)
        {
            listener.Open();
        }
    }

    private void Remake()
    {
        if (Volatile.Read(ref _disposed) == 1 || !_listeners.Any(listener => listener.IsUnreachable))
        {
            _remakeProblem = null;
            return;
        }

        IReadOnlyList<Listener> old = _listeners;
        try
        {
            Listen();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            if (_remakeProblem != failure.Message)
            {
                _remakeProblem = failure.Message; // logged once, not every minute
                ControlLog.NotRemade(_log, Endpoint, failure.Message);
            }

            return;
        }

        foreach (Listener listener in old)
        {
            listener.Dispose(); // this removes only its own file, which is gone
        }

        _remakeProblem = null;
        ControlLog.Remade(_log, Endpoint);
    }

    private void Close()
    {
        foreach (Listener listener in _listeners)
        {
            listener.Dispose();
        }

        _listeners = [];
        foreach (ControlConnection connection in _connections.ToArray())
        {
            connection.FlushAndClose("the node stops");
        }

        _turnedAway.Close("the node stops");
    }

    private void Accept(int descriptor)
    {
        // The socket's mode already keeps others out; this check also holds when somebody has changed the mode.
        bool known = PeerCredentials.TryRead(descriptor, out int process, out uint user);
        bool isTrusted = known && (user == 0 || user == PeerCredentials.OwnUser);
        ControlConnection connection = new((_methods, _loop), _keeper, descriptor, isTrusted, Remove);
        if (!known || !connection.Gate.Rights.MayEnter)
        {
            ControlLog.Refused(_log, process, user);
            connection.Gate.Rights.MayControl("connect", null, out _);
            connection.Close("not allowed");
        }
        else if (IsFullFor(isTrusted))
        {
            if (BitOperations.IsPow2(++_refused))
            {
                ControlLog.TooMany(_log, isTrusted ? MaxConnections : MaxOfOthers, _refused);
            }

            _turnedAway.Add(connection, ErrorCodes.ResourceError, "the control socket has too many connections: end some watchers");
        }
        else if (!connection.Gate.TryBegin(out DoorRefusal refusal))
        {
            _turnedAway.Add(connection, refusal.Code, refusal.Text);
        }
        else
        {
            _connections.Add(connection);
            connection.Open();
        }
    }
    private bool IsFullFor(bool isTrusted) => _connections.Count >= MaxConnections
        || (!isTrusted && _connections.Count(static connection => !connection.Gate.IsTrusted) >= MaxOfOthers);

    private void Remove(ControlConnection connection)
    {
        _connections.Remove(connection);
        _turnedAway.Remove(connection);
    }
}
