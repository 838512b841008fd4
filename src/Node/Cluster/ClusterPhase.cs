namespace Cocaine.Fast.Node.Cluster;

/// <summary>The place of a node in its cluster.</summary>
internal enum ClusterPhase
{
    /// <summary>The node is in no cluster, and no task of a cluster runs.</summary>
    Alone,

    /// <summary>The first session with the engine is being made.</summary>
    Connecting,

    /// <summary>The node is a member.</summary>
    Attached,

    /// <summary>The engine cannot be reached; the node tries again and again.</summary>
    Detached,

    /// <summary>The cluster does not take the node: another cluster's engine, another node with its name. The node tries again.</summary>
    Out,

    /// <summary>A copy of the node has started after it: the node stays out until its next start.</summary>
    Left,
}
