using System.Net;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Forwarding;

/// <summary>
/// The peer port of a node. Jobs of apps that were added go to other nodes, and jobs of other nodes come, for as long as the app lives,
/// whichever version of it takes them. From one thread at a time.
/// </summary>
internal sealed class NodePeers
{
    private readonly PeerListener _listener;
    private readonly ILogger _log;
    private readonly TlsDoors? _tls;
    private volatile bool _isDraining;
    private PeerIdentity _self = null!; // valid once open
    private IPeerList _peers = null!;   // valid once open

    /// <param name="loop">The loop of the port.</param>
    /// <param name="at">The port.</param>
    /// <param name="log">The node's log.</param>
    /// <param name="tls">The node's TLS, which the links have; null = they have none.</param>
    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    public NodePeers(EventLoop loop, Endpoint at, ILogger log, TlsDoors? tls = null)
    {
        _log = log;
        _tls = tls;
        _listener = new PeerListener(loop, at, log, tls);
    }

    /// <summary>Where other nodes find this one.</summary>
    public IPEndPoint Port => (IPEndPoint)_listener.Addresses.First();

    /// <summary>The node takes no jobs of other nodes, and says so on all links. From any thread.</summary>
    public bool IsDraining { get => _isDraining; set => _isDraining = value; }

    /// <summary>Takes the links of other nodes from now on.</summary>
    /// <param name="self">This node.</param>
    /// <param name="peers">Knows the other nodes.</param>
    public void Open(PeerIdentity self, IPeerList peers)
    {
        _self = self;
        _peers = peers;
        _listener.Loop.Post(() => _listener.Open(self));
    }

    /// <summary>Jobs of an app may go to other nodes, and come from there, from now on. Does nothing for an app that was added.</summary>
    public Task AddAsync(RunningApp app) => app.OnLoopsAsync(() => app.Shards.LinkWith(shard => LinksOf(app.Name, shard), app.Version));

    /// <summary>Takes no more links. Links that are there last as long as their apps.</summary>
    public Task CloseAsync() => _listener.Loop.RunAsync(_listener.Close);

    private ShardLinks LinksOf(string app, AppShard shard) => new(
        _listener, new PeerForwarder(app, shard.Loop, _self, _peers, _log, new Random(), _tls),
        new PeerApp(app, shard.Loop, () => _isDraining, _log));
}
