namespace Cocaine.Fast.Cluster.Records;

/// <summary>The stage of a rollout.</summary>
internal enum RolloutStage
{
    /// <summary>The coordinator moves it from node to node.</summary>
    Rolling,

    /// <summary>All nodes run the new version, also those that come later.</summary>
    Done,

    /// <summary>The new version failed, and the nodes that run it keep it until somebody decides.</summary>
    Stopped,

    /// <summary>The new version failed: all nodes run the version before.</summary>
    RolledBack,
}

/// <summary>How another version of an app comes to the nodes: the part of its record that only the coordinator moves.</summary>
/// <param name="From">The version before, which nodes outside of <paramref name="Go"/> run.</param>
/// <param name="To">The new version.</param>
/// <param name="Go">The nodes that run the new version, by their uuid, in the order in which they were chosen.</param>
/// <param name="Done">The nodes of <paramref name="Go"/> that have proven it.</param>
/// <param name="Stage">The stage.</param>
internal sealed record RolloutPlan(
    int From, int To, IReadOnlyList<string> Go, IReadOnlyList<string> Done, RolloutStage Stage = RolloutStage.Rolling)
{
    /// <summary>Why the rollout came to its end before all nodes had proven the version, for people; null when it did not.</summary>
    public string? Reason { get; init; }

    /// <summary>The version that a node runs.</summary>
    /// <param name="node">The uuid of the node.</param>
    public int VersionFor(string node) => IsFor(node) ? To : From;

    /// <summary>Whether a node runs the new version.</summary>
    /// <param name="node">The uuid of the node.</param>
    public bool IsFor(string node) => Stage switch
    {
        RolloutStage.Done => true,
        RolloutStage.RolledBack => false,
        _ => Go.Contains(node),
    };
}
