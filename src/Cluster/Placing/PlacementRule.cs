namespace Cocaine.Fast.Cluster.Placing;

/// <summary>The nodes that an app means.</summary>
internal sealed record PlacementRule
{
    /// <summary>All nodes, for apps without a rule.</summary>
    public static readonly PlacementRule All = new();

    /// <summary>On how many nodes the app runs, 1 or more; null for all that fit.</summary>
    public int? Nodes { get; init; }

    /// <summary>The labels that a node must have, each with the values that do.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Where { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}
