using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control.Messages;

namespace Cocaine.Fast.Node.Control;

/// <summary>The control service calls it for <c>cluster</c>: the node as a member of a cluster.</summary>
internal interface IClusterControl
{
    /// <summary>The node's place in its cluster, and all nodes of the cluster as it sees them now.</summary>
    ClusterAnswer Info { get; }

    /// <summary>Makes the node a member of the cluster that meets at an engine; it stays a member over restarts.</summary>
    /// <param name="engine">The address of the engine; null = the one that the node knows already.</param>
    /// <param name="takesOver">Whether the node may take its name from a node that is down.</param>
    /// <exception cref="NodeException">The address cannot be used, or the node is in a cluster already.</exception>
    Task<ClusterAnswer> JoinAsync(string? engine, bool takesOver);

    /// <summary>Makes the node belong to no cluster.</summary>
    /// <exception cref="NodeException">The node is in no cluster, or cannot forget it.</exception>
    Task<ClusterAnswer> LeaveAsync();

    /// <summary>Takes a node that is down out of the cluster.</summary>
    /// <param name="name">The node.</param>
    /// <exception cref="NodeException">There is no such node, it is up, or the engine cannot be reached.</exception>
    Task<ClusterAnswer> RemoveAsync(string name);

    /// <summary>
    /// Makes a node take no new work and end the cluster's apps once other nodes have them, or take work again. It stays so over restarts.
    /// </summary>
    /// <param name="name">The node.</param>
    /// <param name="isDraining">Whether it is to drain.</param>
    /// <exception cref="NodeException">There is no such node, or the engine cannot be reached.</exception>
    Task<ClusterAnswer> DrainAsync(string name, bool isDraining);

    /// <summary>The apps of the cluster on all nodes, in the order of their names.</summary>
    /// <param name="app">The app; null = all.</param>
    /// <exception cref="NodeException">The node is in no cluster, or the cluster has no such app.</exception>
    Task<IReadOnlyList<ClusterAppAnswer>> AppsAsync(string? app);

    /// <summary>Stops a rollout, lets it go on, or takes all nodes back.</summary>
    /// <param name="app">The app.</param>
    /// <param name="action"><c>stop</c>, <c>go</c> or <c>back</c>.</param>
    /// <exception cref="NodeException">There is nothing to steer, or the engine cannot be reached.</exception>
    Task SteerAsync(string app, string action);

    /// <summary>Takes the next bytes of a pack of code for the cluster; the last ones put it into the engine.</summary>
    /// <param name="request">The bytes.</param>
    /// <returns>The number of bytes that are there.</returns>
    /// <exception cref="NodeException">The pack is not good, or the engine cannot be reached.</exception>
    Task<long> TakeCodeAsync(CodeRequest request);

    /// <summary>The path on this node of a manifest in a pack, which is fetched when it is not here.</summary>
    /// <param name="code">The place.</param>
    /// <exception cref="NodeException">The place is none, or the code cannot be had.</exception>
    Task<string> FindCodeAsync(PackedCode code);
}

/// <summary>The answer to <c>cluster</c>.</summary>
/// <param name="State">
/// <c>alone</c>, <c>connecting</c>, <c>attached</c>, <c>detached</c> (the engine cannot be reached), <c>out</c> (the cluster does not take
/// the node now) or <c>left</c> (not before the next start).
/// </param>
/// <param name="Nodes">The nodes of the cluster, this one among them, as it saw them last.</param>
/// <param name="Reason">The state in words, with what to do about it; null when there is nothing to say.</param>
/// <param name="Node">The name of this node; null for a node that was never in a cluster.</param>
/// <param name="Cluster">The identity of the cluster; null when it is not known.</param>
/// <param name="Engine">The addresses of the engine, with commas between them; null without one.</param>
internal sealed record ClusterAnswer(
    string State, IReadOnlyList<ClusterMember> Nodes, string? Reason = null, string? Node = null, string? Cluster = null,
    string? Engine = null);

/// <summary>A node of the cluster.</summary>
/// <param name="Node">Its name.</param>
/// <param name="Uuid">Its lasting identity.</param>
/// <param name="State"><c>up</c>, <c>draining</c>, <c>drained</c> or <c>down</c>.</param>
/// <param name="Address">The address at which it is found.</param>
/// <param name="Locator">The endpoints of its locator.</param>
/// <param name="Version">The release of its program.</param>
/// <param name="Labels">The labels of its config.</param>
/// <param name="DownSeconds">For how long it has been silent; null when it is up.</param>
/// <param name="Apps">How many apps run on it; null when it was not heard.</param>
internal sealed record ClusterMember(
    string Node, string Uuid, string State, string Address, IReadOnlyList<string> Locator, string Version,
    IReadOnlyDictionary<string, string> Labels, double? DownSeconds = null, int? Apps = null)
{
    /// <summary>How many jobs may run at once on it; null when it was not heard, as all that follow.</summary>
    public long? Slots { get; init; }

    /// <summary>How many jobs run on it.</summary>
    public long? Running { get; init; }

    /// <summary>How many jobs wait on it.</summary>
    public long? Queued { get; init; }

    /// <summary>Jobs that it gave to other nodes since its start.</summary>
    public long? ForwardedOut { get; init; }

    /// <summary>Jobs that came to it from other nodes since its start.</summary>
    public long? ForwardedIn { get; init; }
}
