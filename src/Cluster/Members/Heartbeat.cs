namespace Cocaine.Fast.Cluster.Members;

/// <summary>A sign of life, which every node hears.</summary>
/// <param name="Uuid">The node.</param>
/// <param name="Incarnation">The start of the node.</param>
/// <param name="Apps">How many apps run on it.</param>
/// <param name="IsLast">Whether the node stops now: nobody needs to wait for its silence.</param>
internal sealed record Heartbeat(string Uuid, long Incarnation, int Apps, bool IsLast = false)
{
    /// <summary>How many of the apps are the cluster's, those that finish their jobs among them.</summary>
    public int OfCluster { get; init; }

    /// <summary>The load of all apps together.</summary>
    public NodeLoad Load { get; init; } = new(0, 0, 0, 0, 0);
}

/// <summary>The load of a node.</summary>
/// <param name="Slots">How many jobs may run at once.</param>
/// <param name="Running">How many jobs run.</param>
/// <param name="Queued">How many jobs wait.</param>
/// <param name="ForwardedOut">Jobs that were given to other nodes since the start of the node.</param>
/// <param name="ForwardedIn">Jobs that came from other nodes since then.</param>
internal sealed record NodeLoad(long Slots, long Running, long Queued, long ForwardedOut, long ForwardedIn);
