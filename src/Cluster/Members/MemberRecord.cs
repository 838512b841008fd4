namespace Cocaine.Fast.Cluster.Members;

/// <summary>A node's own word about itself, under its name in the engine.</summary>
/// <param name="Uuid">The node's lasting identity.</param>
/// <param name="Name">The node's name.</param>
/// <param name="Incarnation">The start of the node: higher at each start.</param>
internal sealed record MemberRecord(string Uuid, string Name, long Incarnation)
{
    /// <summary>The address at which other nodes and clients find the node.</summary>
    public string Address { get; init; } = "";

    /// <summary>The port at that address where other nodes send jobs; 0 = none.</summary>
    public int PeerPort { get; init; }

    /// <summary>The endpoints of the node's locator.</summary>
    public IReadOnlyList<string> Locator { get; init; } = [];

    /// <summary>The labels of the node's config.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The apps of the cluster that are ready on the node.</summary>
    public IReadOnlyList<string> Ready { get; init; } = [];

    /// <summary>The places of these apps.</summary>
    public IReadOnlyList<AppPlace> Places { get; init; } = [];

    /// <summary>The network of a machine that the node runs on: nodes with the same one reach each other by loopback addresses.</summary>
    public string Machine { get; init; } = "";

    /// <summary>The release of the program.</summary>
    public string Version { get; init; } = "";

    /// <summary>Whether the node takes no new work: any node may say so of it, and it stays so over restarts.</summary>
    public bool IsDraining { get; init; }

    /// <summary>
    /// Whether this start of the node came to its end: the node takes no new work, and finishes the jobs that it has. The next start writes
    /// the record anew, so unlike <see cref="IsDraining"/> this lasts no longer than the stop, and no app moves for it.
    /// </summary>
    public bool IsStopping { get; init; }

    /// <summary>Whether the node was removed: the record is a tombstone, and the name is free.</summary>
    public bool IsRemoved { get; init; }
}
