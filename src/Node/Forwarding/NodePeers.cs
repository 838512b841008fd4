using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Native;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Forwarding;

/// <summary>
/// The peer port of a node, and the forwarders of apps that were added: jobs of their present versions go to other nodes, and jobs of other
/// nodes come.
/// </summary>
internal sealed class NodePeers
{
    /// <summary>
    /// Drivers whose callers wait for an answer and hold nothing of this node. The jobs of calendars and folders are this node's own.
    /// </summary>
    private static readonly string[] Forwarding = ["native-server", "native-sink"];

    private readonly PeerListener _listener;
    private readonly PeerIdentity _self;
    private readonly IPeerList _peers;
    private readonly ILogger _log;
    private readonly List<(EventLoop Loop, PeerForwarder Forwarder, PeerApp App)> _shards = []; // from one thread at a time

    /// <exception cref="IOException">The endpoint cannot be bound.</exception>
    public NodePeers(EventLoop loop, Endpoint at, PeerIdentity self, IPeerList peers, ILogger log)
    {
        _self = self;
        _peers = peers;
        _log = log;
        _listener = new PeerListener(loop, at, self, log);
        loop.Post(_listener.Open);
    }

    /// <summary>Where other nodes find this one.</summary>
    public System.Net.IPEndPoint Port => (System.Net.IPEndPoint)_listener.Addresses.First();

    /// <summary>Jobs of an app may go to other nodes, and come from there, from now on.</summary>
    public async Task AddAsync(RunningApp app)
    {
        List<PeerApp> apps = [];
        foreach (AppShard shard in app.Shards.All.ToArray())
        {
            AppEngine engine = app.Version.On(shard)!;
            PeerForwarder forwarder = new(app.Name, shard.Loop, _self, _peers, _log, new Random());
            IEnumerable<TaskManifest> tasks = app.Manifest.Tasks.Select(DriverRegistry.Complete).Where(MayForward);
            PeerApp peer = new(
                app.Name, shard.Loop, () => app.Version.On(shard), [.. tasks.Select(task => CatalogOf(task, app.Manifest))], _log);
            await shard.Loop.RunAsync(() =>
            {
                engine.Scope.Forwarder = forwarder;
                foreach (AppTask task in shard.Tasks.Tasks)
                {
                    task.Driver.Monitor.MayForward = MayForward(task.Manifest);
                }
            });
            _shards.Add((shard.Loop, forwarder, peer));
            apps.Add(peer);
        }

        _listener.Add(app.Name, [.. apps]);
    }

    /// <summary>Ends all links. Jobs at other nodes run again here, or fail.</summary>
    public async Task CloseAsync()
    {
        await _listener.Loop.RunAsync(_listener.Close);
        foreach ((EventLoop loop, PeerForwarder forwarder, PeerApp app) in _shards)
        {
            await loop.RunAsync(() =>
            {
                forwarder.Close();
                app.Close();
            });
        }
    }

    /// <summary>Links are not encrypted: a sealed job stays on the node that it was sealed for.</summary>
    private static bool MayForward(TaskManifest task) => Forwarding.Contains(task.DriverType) && SealModes.Of(task) == SealMode.No;

    private static EventCatalog CatalogOf(TaskManifest task, AppManifest manifest)
    {
        EventCatalog catalog = new(task.Name, task.Events.Count > 0 ? task.Events : [task.Name]);
        catalog.Monitor.JobTimeoutMs = task.JobTimeoutMs ?? manifest.Engine.JobTimeoutMs;
        return catalog;
    }
}
