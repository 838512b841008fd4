using System.Net.Sockets;
using Cocaine.Fast.Transport.Linux;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

/// <summary>The service <c>node</c>: controls a node over a Unix socket of its own. See docs/control.md.</summary>
public sealed class ControlService : IAsyncDisposable
{
    private const int Backlog = 64;

    /// <summary>Commands and watchers of one machine's users; one more is closed at once.</summary>
    private const int MaxConnections = 256;

    private readonly EventLoop _loop;
    private readonly ILogger _log;
    private readonly HashSet<ControlConnection> _connections = [];
    private IReadOnlyList<Listener> _listeners = [];

    private ControlService(CocaineNode node, string endpoint, IControlHost host)
    {
        _loop = node.FirstLoop;
        _log = node.Log;
        Endpoint = endpoint;
        Methods = new ControlMethods(node, host, _log);
    }

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    internal ControlMethods Methods { get; }

    /// <summary>
    /// Begins to listen. Do this before apps are added, so that a node whose apps are slow or broken can be asked what is the matter.
    /// </summary>
    /// <param name="node">What is controlled; it was started.</param>
    /// <param name="endpoint">
    /// <c>ipc:///path</c>: control is for this machine only. A folder that is not there is made, for this user alone.
    /// </param>
    /// <param name="host">Creates, replaces and deletes; a <see cref="PlainControlHost"/> when nothing is kept.</param>
    /// <exception cref="NodeException">The endpoint is none of a Unix socket, or cannot be used.</exception>
    public static async Task<ControlService> OpenAsync(CocaineNode node, string endpoint, IControlHost host)
    {
        ArgumentNullException.ThrowIfNull(node);
        ControlService service = new(node, endpoint, host);
        try
        {
            Endpoint at = Transport.Sockets.Endpoint.Parse(endpoint);
            if (at.Path is not { } path)
            {
                throw new FormatException($"'{endpoint}': control is for this machine only: ipc:///path");
            }

            const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!, Owner | UnixFileMode.UserExecute);
            await CocaineNode.Run(service._loop, () => service.Listen(at, Owner)).ConfigureAwait(false);
            return service;
        }
        catch (Exception failure) when (failure is IOException or FormatException or UnauthorizedAccessException)
        {
            string advice = failure.InnerException is SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse }
                ? ": another node is controlled there, or a file is in its place; stop that one, or give this one another endpoint" : "";
            throw new NodeException($"the control endpoint: {failure.Message}{advice}", failure);
        }
    }

    /// <summary>Stops listening and ends the connections. To be called before the node is stopped.</summary>
    public async ValueTask DisposeAsync() => await CocaineNode.Run(_loop, Close).ConfigureAwait(false);

    internal void Remove(ControlConnection connection) => _connections.Remove(connection);

    private void Listen(Endpoint at, UnixFileMode mode)
    {
        _listeners = Listener.Bind(_loop, at, Backlog, mode, Accept, mayUseReserve: true);
        foreach (Listener listener in _listeners)
        {
            listener.Open();
        }
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
    }

    private void Accept(int descriptor)
    {
        // The socket's mode keeps others out already; this holds also when somebody has changed that.
        bool known = PeerCredentials.TryRead(descriptor, out int process, out uint user);
        ControlConnection connection = new(this, _loop, descriptor);
        if (!known || (user != 0 && user != PeerCredentials.OwnUser))
        {
            ControlLog.Refused(_log, process, user);
            connection.Close("not allowed");
        }
        else if (_connections.Count >= MaxConnections)
        {
            ControlLog.TooMany(_log, MaxConnections);
            connection.Close("too many connections");
        }
        else
        {
            _connections.Add(connection);
            connection.Open();
        }
    }
}

internal static partial class ControlLog
{
    [LoggerMessage(530, LogLevel.Warning,
        "control: process {Process} of user {User} was refused: only root and the node's own user may control it")]
    public static partial void Refused(ILogger log, int process, uint user);

    [LoggerMessage(531, LogLevel.Warning, "control: a connection was refused: there are {Max} already; end some watchers")]
    public static partial void TooMany(ILogger log, int max);

    [LoggerMessage(532, LogLevel.Error, "control: {Method} failed in a way that nobody expected. Please report this with the stack")]
    public static partial void Fault(ILogger log, Exception fault, string method);

    [LoggerMessage(533, LogLevel.Information, "control: {Method} {App}")]
    public static partial void Asked(ILogger log, string method, string app);
}
