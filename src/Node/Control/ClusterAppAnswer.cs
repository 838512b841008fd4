namespace Cocaine.Fast.Node.Control;

/// <summary>An app of the cluster, as this node sees it.</summary>
/// <param name="App">The app.</param>
/// <param name="Version">The version of its record: the new one, while one is being rolled out.</param>
/// <param name="Generation">The number of the record: one more with each change by a person.</param>
/// <param name="Paused">Whether it takes no jobs until it is resumed.</param>
/// <param name="Nodes">The nodes that run it, or should.</param>
internal sealed record ClusterAppAnswer(string App, int Version, long Generation, bool Paused, IReadOnlyList<ClusterAppNode> Nodes)
{
    /// <summary>The last rollout; null when the app had none.</summary>
    public RolloutAnswer? Rollout { get; init; }

    /// <summary>The name of the node that makes the jobs of its tasks with <c>run-on: one</c>; null when none does.</summary>
    public string? LeaseHolder { get; init; }

    /// <summary>Whether the node can reach the engine; otherwise all this is as it was heard last, and a rollout stands still.</summary>
    public bool IsAttached { get; init; }
}

/// <summary>The way of another version to the nodes.</summary>
/// <param name="From">The version before.</param>
/// <param name="To">The new version.</param>
/// <param name="State"><c>rolling</c>, <c>done</c>, <c>stopped</c> or <c>rolled-back</c>.</param>
/// <param name="CanGoBack">Whether the version before is known.</param>
/// <param name="Reason">Why it came to its end before all nodes had the version; null when it did not.</param>
internal sealed record RolloutAnswer(int From, int To, string State, bool CanGoBack, string? Reason = null);

/// <summary>An app on one node.</summary>
/// <param name="Node">The name of the node.</param>
/// <param name="State">
/// <c>starting</c>, <c>ready</c>, <c>failed</c>, <c>no-code</c>, <c>taken</c>, <c>down</c>, or <c>unknown</c> when nothing was heard.
/// </param>
/// <param name="IsCurrent">Whether the node runs the manifest that it should, and is ready.</param>
/// <param name="Version">The version there; null when nothing was heard.</param>
/// <param name="Generation">The number of the record that the node follows; null when nothing was heard.</param>
/// <param name="Rollout"><c>waits</c>, <c>proves</c> or <c>proven</c> while a version is being rolled out; null without a rollout.</param>
/// <param name="Reason">The state in words; null when there is nothing to say.</param>
internal sealed record ClusterAppNode(
    string Node, string State, bool IsCurrent, int? Version = null, long? Generation = null, string? Rollout = null, string? Reason = null)
{
    /// <summary>Jobs of this version on the node that ended in another way than those of <see cref="Failed"/>.</summary>
    public long? Done { get; init; }

    /// <summary>Jobs of this version on the node that ended in 500, 502 or 504.</summary>
    public long? Failed { get; init; }
}
