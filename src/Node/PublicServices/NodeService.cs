using System.Net;
using System.Numerics;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.PublicServices;

/// <summary>
/// The service <c>node</c> of Cocaine 0.12 on an endpoint of its own, for cocaine-tool: start_app, pause_app, list and info. Section "The
/// service node" of docs/protocol.md. Anybody with a connection may pause apps, so the service is off unless an endpoint is given.
/// </summary>
/// <param name="apps">Gives the apps that are running now.</param>
/// <param name="pause">Makes an app take no more jobs (true), or jobs again.</param>
/// <param name="loop">The loop that it lives on.</param>
/// <param name="keeper">The node's rules.</param>
/// <param name="log">The node's log.</param>
internal sealed class NodeService(
    Func<IReadOnlyList<RunningApp>> apps, Func<string, bool, Task> pause, EventLoop loop, Doorkeeper keeper, ILogger log)
{
    private const int Backlog = 64;

    /// <summary>The most connections: tools of a few people.</summary>
    private const int MaxConnections = 64;

    /// <summary>Connections over the bound that wait for their question, to have it refused; one more is closed without words.</summary>
    private const int MaxTurnedAway = 8;

    private readonly List<Listener> _listeners = [];
    private readonly HashSet<NodeServiceConnection> _connections = [];
    private readonly TurnedAway _turnedAway = new(MaxTurnedAway);
    private long _refused; // connections over the bound

    /// <summary>The bound endpoints.</summary>
    public IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    /// <summary>Binds and begins to answer; on the loop.</summary>
    public void Open(string endpoint)
    {
        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _listeners.AddRange(Listener.Bind(loop, Endpoint.Parse(endpoint), Backlog, mode, Accept));
        _listeners.ForEach(listener => listener.Open());
        if (!keeper.Rules.IsOn && _listeners.Exists(listener => !listener.IsOnThisHost))
        {
            NodeServiceLog.OpenToOthers(log, endpoint);
        }
    }

    /// <summary>The addresses for a client that reached the node at <paramref name="reached"/>.</summary>
    public IReadOnlyList<IPEndPoint> AddressesFor(IPAddress reached) => [.. _listeners.Select(listener => listener.Address)
        .OfType<IPEndPoint>().Select(at => at.Address.Equals(IPAddress.Any) || at.Address.Equals(IPAddress.IPv6Any)
            ? new IPEndPoint(reached, at.Port) : at)];

    /// <summary>The names of the apps that take jobs: for Cocaine, a paused app is not running.</summary>
    public string[] List() => [.. apps().Where(app => !app.IsPaused).Select(app => app.Name).Order(StringComparer.Ordinal)];

    /// <summary>The state of an app, as any of its callers may see it.</summary>
    /// <exception cref="NodeException">The app does not run (404).</exception>
    public Task<string> InfoAsync(string name) => Running(name).PublicInfoAsync();

    /// <summary>The app takes jobs again.</summary>
    /// <exception cref="NodeException">The app does not run (404): this service brings no app to the node.</exception>
    public Task StartAsync(string name) => pause(Running(name).Name, false);

    /// <summary>The app takes no more jobs, and finishes those that it has.</summary>
    /// <exception cref="NodeException">The app does not run (404).</exception>
    public Task PauseAsync(string name) => pause(Running(name).Name, true);

    /// <summary>Logs an unexpected fault of a question; returns the error for its client.</summary>
    public NodeException OnFault(Exception fault)
    {
        NodeServiceLog.Fault(log, fault);
        return new NodeException("the question failed in a way that nobody expected: the node's log has the cause");
    }

    /// <summary>Other rules hold for callers.</summary>
    public void OnRulesChanged()
    {
        foreach (NodeServiceConnection connection in _connections.Where(connection => !connection.Gate.TryStay()).ToArray())
        {
            connection.FlushAndClose("the caller is not known any more");
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Remove(NodeServiceConnection connection)
    {
        _connections.Remove(connection);
        _turnedAway.Remove(connection);
    }

    private RunningApp Running(string name) => apps().FirstOrDefault(app => app.Name == name)
        ?? throw new NodeException("no app with this name runs here") { Code = Core.Protocol.ErrorCodes.NotFound };

    private void Accept(int descriptor)
    {
        NodeServiceConnection connection = new(this, loop, keeper, descriptor);
        if (_connections.Count >= MaxConnections)
        {
            if (BitOperations.IsPow2(++_refused))
            {
                NodeServiceLog.TooMany(log, connection.PeerName, MaxConnections, _refused);
            }

            _turnedAway.Add(connection, ErrorCodes.ResourceError, "the service node has too many connections");
        }
        else if (!connection.Gate.TryBegin(out DoorRefusal refusal))
        {
            _turnedAway.Add(connection, refusal.Code, refusal.Text);
        }
        else
        {
            _connections.Add(connection);
            connection.Begin();
        }
    }
}

internal static partial class NodeServiceLog
{
    [LoggerMessage(461, LogLevel.Warning,
        "service node: a connection of {Peer} was refused: there are {Max} already ({Total} refused so far); it is for tools, which ask "
        + "and go")]
    public static partial void TooMany(ILogger log, string peer, int max, long total);

    [LoggerMessage(463, LogLevel.Warning,
        "service node: everybody who reaches it may pause apps; {Endpoint} " + EndpointSyntax.OpenToOthers)]
    public static partial void OpenToOthers(ILogger log, string endpoint);

    [LoggerMessage(462, LogLevel.Error, "service node: a question failed in a way that nobody expected. Please report this")]
    public static partial void Fault(ILogger log, Exception fault);
}
