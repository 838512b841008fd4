using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Locator;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The part of a node's own facts that its cluster is told.</summary>
/// <param name="Config">The section <c>cluster</c> of the config.</param>
/// <param name="Locator">The endpoints of the node's locator.</param>
/// <param name="Apps">The apps that run now.</param>
/// <param name="Ready">The apps of the cluster that are ready here, in the order of their names.</param>
/// <param name="Leased">Those of them that have tasks of which one node makes the jobs.</param>
internal sealed record ClusterSettings(
    ClusterConfig Config, Func<IReadOnlyList<string>> Locator, Func<IReadOnlyList<RunningApp>> Apps, Func<IReadOnlyList<AppPlace>> Ready,
    Func<IReadOnlyList<LeasedApp>> Leased)
{
    /// <summary>Hears of the nodes that take work.</summary>
    public Action<LocatorMembers?> Members { get; init; } = static _ => { };

    /// <summary>The words of this node about the apps of its cluster that it should run.</summary>
    public Func<IReadOnlyList<AppWord>> Words { get; init; } = static () => [];

    /// <summary>The links to other nodes; null = the node has none.</summary>
    public ClusterPeers? Peers { get; init; }

    /// <summary>The node's load, from counts of slightly different moments.</summary>
    public NodeLoad Load()
    {
        AppEngine[] engines = [.. Apps().SelectMany(app => app.Version.Engines)];
        return new NodeLoad(
            engines.Sum(engine => (long)engine.Forwarded.Load.Slots), engines.Sum(engine => (long)engine.Forwarded.Load.Running),
            engines.Sum(engine => (long)engine.Queue.Count), engines.Sum(engine => (long)engine.Counters.JobsForwarded),
            engines.Sum(engine => (long)engine.Counters.JobsTaken));
    }

    /// <summary>The name of the node: the config's, or that of the host.</summary>
    public string Name => Config.Name ?? HostName();

    private static string HostName()
    {
        string name = string.Concat(Environment.MachineName.Where(letter => EngineAddress.IsNodeName($"a{letter}")));
        return EngineAddress.IsNodeName(name) ? name : "node";
    }
}
