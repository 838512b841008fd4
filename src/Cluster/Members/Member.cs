namespace Cocaine.Fast.Cluster.Members;

/// <summary>One node of the cluster, as the others see it.</summary>
/// <param name="Uuid">The node's lasting identity.</param>
/// <param name="Name">The node's name, unique in the cluster.</param>
internal sealed record Member(string Uuid, string Name)
{
    /// <summary>The start of the node: higher at each start.</summary>
    public long Incarnation { get; init; }

    /// <summary>The labels of the node's configuration.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the node takes no new work.</summary>
    public bool IsDraining { get; init; }

    /// <summary>How long the coordinator has counted the node as down, ms, by the clock of this node; null when the node is up.</summary>
    public long? DownForMs { get; init; }

    /// <summary>Whether the node is up and takes new work.</summary>
    public bool IsInWork => DownForMs is null && !IsDraining;
}
