namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>The state of an app on one node.</summary>
internal enum AppState
{
    /// <summary>On its way.</summary>
    Starting,

    /// <summary>Takes jobs.</summary>
    Ready,

    /// <summary>Broken, with a reason.</summary>
    Failed,

    /// <summary>The code is not on the node.</summary>
    NoCode,

    /// <summary>An app that was created on the node alone has the name: the node does not run the cluster's.</summary>
    Taken,
}

/// <summary>The word of a node about an app.</summary>
/// <param name="Version">The version that the node runs.</param>
/// <param name="State">Its state.</param>
/// <param name="Done">Jobs of this version that ended well.</param>
/// <param name="Failed">Jobs of this version that ended in 500, 502 or 504.</param>
/// <param name="FailedBeforePercent">The same share of the version before, on this node in the minute before the change, percent.</param>
internal sealed record AppStatus(int Version, AppState State, long Done = 0, long Failed = 0, double FailedBeforePercent = 0);
