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
/// <param name="Done">Jobs since this version took over on the node that did not end as those of <paramref name="Failed"/>.</param>
/// <param name="Failed">Jobs since then that ended in 500, 502 or 504.</param>
/// <param name="FailedBeforePercent">The same share of the version before, on this node in the minute before the change, percent.</param>
internal sealed record AppStatus(int Version, AppState State, long Done = 0, long Failed = 0, double FailedBeforePercent = 0)
{
    /// <summary>The longest reason that is told, letters: the last lines of a worker that did not start.</summary>
    public const int LongestReason = 1000;

    /// <summary>The generation of the record that the node follows.</summary>
    public long Generation { get; init; }

    /// <summary>The generation in which the manifest was set that the node runs, or tried to run.</summary>
    public long Made { get; init; }

    /// <summary>Why the app is not ready, for people; null when it is.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether both say the same of the app; the numbers of jobs change all the time.</summary>
    /// <param name="other">Another word, or none.</param>
    public bool IsSameButForJobs(AppStatus? other) =>
        other is not null && this with { Done = other.Done, Failed = other.Failed } == other;
}
