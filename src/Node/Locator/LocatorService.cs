using System.Net;
using System.Numerics;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.PublicServices;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Locator;

/// <summary>The locator: tells clients the addresses of an app, or of one task of it. Section "Locator" of docs/protocol.md.</summary>
/// <param name="apps">Gives the apps that are running now.</param>
/// <param name="loop">The loop that the locator lives on.</param>
/// <param name="keeper">The node's rules.</param>
/// <param name="log">The node's log.</param>
internal sealed class LocatorService(Func<IReadOnlyList<RunningApp>> apps, EventLoop loop, Doorkeeper keeper, ILogger log)
{
    /// <summary>
    /// Connections that the kernel keeps until the loop takes them: clients that all come back at once, as after a break of the network.
    /// The kernel drops a client over it, which then tries again after a second.
    /// </summary>
    private const int Backlog = 1024;

    /// <summary>
    /// The most connections of one address and in all: a client connects, asks for some apps, and goes. Names of many clients behind one
    /// address come one after the other.
    /// </summary>
    private const int MaxOfOne = 64, MaxConnections = 4096;

    /// <summary>
    /// The most connections that stay open for a stream of routing groups: each balancer has one. The others keep their places for
    /// questions.
    /// </summary>
    private const int MaxRouting = 256;

    /// <summary>
    /// Connections over a bound that wait for their question, to have it refused: those of one more address. One more is closed without
    /// words.
    /// </summary>
    private const int MaxTurnedAway = MaxOfOne;

    private readonly List<Listener> _listeners = [];
    private readonly ConnectionSet<LocatorConnection> _connections = new(new ConnectionCounts());
    private readonly TurnedAway _turnedAway = new(MaxTurnedAway);
    private readonly string _uuid = Guid.NewGuid().ToString();
    private SecuredDoor? _secured; // null without TLS
    private long _refused; // connections over a bound
    private int _routing;  // connections that stay open

    /// <summary>The service <c>node</c>; null when the node has none.</summary>
    public NodeService? NodeService { get; init; }

    /// <summary>The locator's TLS, and the node's.</summary>
    public (DoorTls Door, TlsDoors? Node) Tls { get; init; }

    /// <summary>The other nodes of the cluster; null for a node alone.</summary>
    public Func<LocatorMembers?> Members { get; init; } = static () => null;

    /// <summary>The identity of this node: the lasting one in its cluster, and another one at each start of a node alone.</summary>
    public string Uuid => Members()?.Self ?? _uuid;

    public IReadOnlyList<string> Endpoints => _listeners.ConvertAll(listener => Endpoint.Describe(listener.Address));

    /// <summary>Clients that are connected.</summary>
    public int Connections => _connections.Count;

    public ILogger Log => log;

    /// <summary>Binds and begins to answer; on the loop.</summary>
    /// <exception cref="IOException">The endpoint cannot be bound, or the node has no certificates.</exception>
    public void Open(string endpoint)
    {
        if (Tls.Door != DoorTls.Off)
        {
            _secured = Tls.Node?.Offers(Tls.Door) != true ? throw new IOException("its TLS needs certificates: security.tls")
                : new SecuredDoor(loop, Tls.Node, Tls.Door, "locator", Take, DropRefused);
            _secured.Open();
        }

        UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        _listeners.AddRange(Listener.Bind(loop, Endpoint.Parse(endpoint), Backlog, mode, Accept));
        _listeners.ForEach(listener => listener.Open());
    }

    /// <summary>
    /// The addresses of <c>app</c> or <c>app/task</c> for a client that reached the node at <paramref name="reached"/>, the best first;
    /// empty when there is none. In a cluster, those of up to eight nodes, in a new order for each client.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="reached">The address of this node that the client reached.</param>
    /// <param name="seed">Clients with one seed get one order; null = any.</param>
    public IReadOnlyList<IPEndPoint> Resolve(string name, IPAddress reached, byte[]? seed)
    {
        string[] parts = name.Split('/', 2);
        string? task = parts.Length == 1 ? null : parts[1];
        AppPlace? own = apps().FirstOrDefault(app => app.Name == parts[0]) is { } app ? AppPlaces.Of(app) : null;
        IReadOnlyList<IPEndPoint> here = own is null ? [] : AppPlaces.AddressesIn(own, task, reached);
        if (Members() is not { } members || (own is not null && !members.Own.Contains(own.App)))
        {
            return here; // an app of this node alone is another one than that of the cluster
        }

        bool isLocal = IPAddress.IsLoopback(reached);
        IEnumerable<(string, long, IReadOnlyList<IPEndPoint>)> all = members.PlacesOf(parts[0], task, isLocal);
        here = [.. here.Where(at => isLocal || !IPAddress.IsLoopback(at.Address))];
        all = here.Count == 0 || (members.IsDraining && all.Any()) ? all : all.Prepend((members.Self, own!.Slots, here));
        return [.. NodeOrder.Of(all, seed, Random.Shared).SelectMany(node => node)];
    }

    /// <summary>The locators of all nodes of the cluster that a client can reach, this one first.</summary>
    public IReadOnlyList<(string Uuid, IPEndPoint At)> Nodes(IPAddress reached) =>
    [
        (Uuid, Own(reached)),
        .. (Members()?.Others ?? []).Where(node => node.Locator is { } at
            && (!IPAddress.IsLoopback(at.Address) || (node.IsOnThisMachine && IPAddress.IsLoopback(reached))))
            .Select(node => (node.Uuid, node.Locator!)),
    ];

    /// <summary>
    /// The text for a client that asks for an unknown name. It has at most the nearest name, since a list would tell any peer which apps
    /// the node runs.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="sees">The apps that the client may know.</param>
    public string NoService(string name, Predicate<string> sees)
    {
        const int LongestName = 64; // of an app
        string near = name.Length <= LongestName ? ProblemList.Nearest(name, apps().Select(app => app.Name).Where(app => sees(app))) : "";
        return $"no service named {JsonPath.Shown(name)} here{near}";
    }

    /// <summary>The text for a balancer over the bound.</summary>
    public static string TooManyRouting { get; } = $"{MaxRouting} connections wait for routing groups already, and this node has none";

    /// <summary>A connection is about to stay open for routing groups; false when too many do.</summary>
    public bool TryTakeRouting()
    {
        if (_routing >= MaxRouting)
        {
            return false;
        }

        _routing++;
        return true;
    }

    /// <summary>Other rules hold for callers.</summary>
    public void OnRulesChanged()
    {
        foreach (LocatorConnection connection in _connections.Where(connection => !connection.Gate.TryStay()).ToArray())
        {
            connection.FlushAndClose("the caller is not known any more");
        }
    }

    /// <summary>A connection has ended.</summary>
    public void Remove(LocatorConnection connection, bool waitsForRoutes)
    {
        _routing -= waitsForRoutes ? 1 : 0;
        connection.Gate.End();
        _connections.Remove(connection);
        _turnedAway.Remove(connection);
    }

    /// <summary>An address of this node for its peers.</summary>
    public IPEndPoint Own(IPAddress reached) => new(reached, _listeners.Count > 0 && _listeners[0].Address is IPEndPoint at ? at.Port : 0);

    private void Accept(int descriptor)
    {
        if (_secured is not null && SocketNames.LocalTcp(descriptor) is not null)
        {
            _secured.Accept(descriptor);
        }
        else
        {
            Serve(new LocatorConnection(this, loop, keeper, descriptor));
        }
    }

    private void Take(SecuredPeer peer)
    {
        LocatorConnection connection = new(this, loop, keeper, peer.Descriptor);
        connection.Secure(peer.Session, peer.First.Span, peer.Peer);
        Serve(connection);
    }

    private void DropRefused()
    {
        foreach (LocatorConnection connection in _connections.Where(static peer => peer.Certified?.Refusal is not null).ToArray())
        {
            _secured!.TellRefused(connection);
            connection.Close("the client's certificate is refused by now");
        }
    }

    private void Serve(LocatorConnection connection)
    {
        IPAddress? address = SocketNames.Network(connection.Descriptor);
        bool isOfOne = _connections.Counts.Of(address) >= MaxOfOne;
        if (isOfOne || _connections.Count >= MaxConnections)
        {
            if (BitOperations.IsPow2(++_refused))
            {
                LocatorLog.TooMany(log, connection.PeerName, isOfOne ? MaxOfOne : MaxConnections, isOfOne ? "its address has" : "there are",
                    _refused);
            }

            _turnedAway.Add(connection, ErrorCodes.ResourceError,
                isOfOne ? "the client's address has too many connections" : "the locator has too many connections");
            return;
        }

        if (!connection.Gate.TryBegin(out DoorRefusal refusal))
        {
            _turnedAway.Add(connection, refusal.Code, refusal.Text);
            return;
        }

        _connections.Add(connection, address);
        connection.Begin();
    }
}

internal static partial class LocatorLog
{
    [LoggerMessage(460, LogLevel.Warning,
        "locator: a connection of {Peer} was refused: {Whose} {Max} already ({Total} refused so far); the locator closes a connection "
        + "after 10 s of silence, so a client should ask and go")]
    public static partial void TooMany(ILogger log, string peer, int max, string whose, long total);
}
