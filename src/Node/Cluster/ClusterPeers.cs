using System.Net;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// The links of a node to the other members of its cluster: the peer port, and who the peers of an app are. A node alone has neither.
/// </summary>
/// <param name="node">The node's config.</param>
/// <param name="loop">The loop of the peer port, once the node has started.</param>
/// <param name="tls">The node's TLS, once the node has started; null = it has none.</param>
/// <param name="apps">The apps of the cluster that run here now.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterPeers(
    NodeConfig node, Func<EventLoop> loop, Func<TlsDoors?> tls, Func<IEnumerable<RunningApp>> apps, ILogger log) : IPeerList
{
    private readonly ClusterConfig _config = node.Cluster ?? new ClusterConfig();
    private readonly Lock _lock = new();  // guards the fields below that are not volatile
    private NodePeers? _peers;            // from the first session that could bind the port, until the node leaves its cluster
    private bool _isOpen;                 // the cluster's secret is known
    private string? _problem;             // the last one, so that it is logged once
    private string _self = "";            // the node's uuid. Valid while open
    private volatile MemberView _seen = MemberView.Empty;
    private volatile Dictionary<string, IReadOnlyList<PeerAddress>> _addresses = []; // by app; never changed, but replaced

    /// <inheritdoc/>
    public IReadOnlyList<PeerAddress> Of(string app) => _addresses.GetValueOrDefault(app) ?? [];

    /// <summary>
    /// Opens the port of a node that was a member before, with the members that it saw last. The engine need not be there.
    /// </summary>
    public void Start(ClusterFolder folder, (string Uuid, long Incarnation) identity, string name, MemberView view)
    {
        Bind();
        try
        {
            if (folder.ReadId() is { } cluster)
            {
                Open(cluster, identity, name);
                See(view, isDraining: false);
            }
        }
        catch (IOException)
        {
            // the session says so
        }
    }

    /// <summary>Binds the port; 0 when the node has none.</summary>
    public int Bind()
    {
        lock (_lock)
        {
            if (_peers is not null || !_config.Forwards)
            {
                return _peers?.Port.Port ?? 0;
            }

            TlsDoors? secured = tls() is { } doors && doors.Offers(DoorTls.Mutual) ? doors : null;
            string? problem = secured is null ? NetworkNeeds.PlainProblem(_config.Listen, "", node.Security.Network) : null;
            try
            {
                _peers = problem is null ? new NodePeers(loop(), Endpoint.Parse(_config.Listen), log, secured) : null;
            }
            catch (Exception failure) when (failure is IOException or FormatException)
            {
                problem = failure.Message;
            }

            if (problem is not null && problem != _problem)
            {
                ClusterLog.NoPeerPort(log, _config.Listen, problem);
            }

            _problem = problem;
            return _peers?.Port.Port ?? 0;
        }
    }

    /// <summary>The node is a member: other nodes may send jobs from now on, and get jobs.</summary>
    public void Open(ClusterId cluster, (string Uuid, long Incarnation) identity, string name)
    {
        lock (_lock)
        {
            if (_peers is null || _isOpen)
            {
                return;
            }

            byte[] secret = new byte[cluster.Secret.Length];
            if (!Convert.TryFromBase64String(cluster.Secret, secret, out int length) || length < PeerHello.MacBytes)
            {
                ClusterLog.NoPeerPort(log, _config.Listen, "the cluster has no secret for links: its engine was changed by hand");
                return;
            }

            _self = identity.Uuid;
            _isOpen = true;
            _peers.Open(new PeerIdentity(cluster.Uuid, name, (ulong)identity.Incarnation, secret[..length]), this);
            foreach (RunningApp app in apps())
            {
                _ = _peers.AddAsync(app); // never throws
            }
        }
    }

    /// <summary>An app runs here, or another version of it.</summary>
    /// <param name="isOfCluster">Whether it is the same app as on other nodes.</param>
    /// <param name="app">The app.</param>
    public void Add(bool isOfCluster, RunningApp app)
    {
        lock (_lock)
        {
            if (_isOpen && isOfCluster)
            {
                _ = _peers!.AddAsync(app); // never throws
            }
        }
    }

    /// <summary>The members have changed, perhaps.</summary>
    /// <param name="view">The members.</param>
    /// <param name="isDraining">This node takes no new work.</param>
    public void See(MemberView view, bool isDraining)
    {
        lock (_lock)
        {
            if (_peers is not null)
            {
                _peers.IsDraining = isDraining;
            }
        }

        bool isSame = _seen.Nodes.Count == view.Nodes.Count && _seen.Nodes.Zip(view.Nodes).All(pair =>
            ReferenceEquals(pair.First.Record, pair.Second.Record) && pair.First.Member.IsInWork == pair.Second.Member.IsInWork);
        _seen = view;
        if (!isSame)
        {
            _addresses = AddressesOf(view);
        }
    }

    /// <summary>Takes no more links: the node leaves its cluster, or stops. The links of apps last as long as they.</summary>
    public async Task CloseAsync()
    {
        NodePeers? peers;
        lock (_lock)
        {
            peers = _peers;
            _peers = null;
            _isOpen = false;
        }

        See(MemberView.Empty, isDraining: true);
        await (peers?.CloseAsync() ?? Task.CompletedTask);
    }

    private Dictionary<string, IReadOnlyList<PeerAddress>> AddressesOf(MemberView view)
    {
        Dictionary<string, List<PeerAddress>> all = [];
        foreach (SeenMember member in view.Nodes)
        {
            MemberRecord record = member.Record;
            if (record.Uuid != _self && member.Member.IsInWork && record.PeerPort is > 0 and <= IPEndPoint.MaxPort
                && EngineAddress.IsHost(record.Address))
            {
                PeerAddress address = new(record.Name, IPAddress.TryParse(record.Address, out IPAddress? ip)
                    ? new IPEndPoint(ip, record.PeerPort) : new DnsEndPoint(record.Address, record.PeerPort));
                foreach (string app in record.Ready)
                {
                    if (!all.TryGetValue(app, out List<PeerAddress>? peers))
                    {
                        all[app] = peers = [];
                    }

                    peers.Add(address);
                }
            }
        }

        return all.ToDictionary(pair => pair.Key, pair => (IReadOnlyList<PeerAddress>)pair.Value);
    }
}
