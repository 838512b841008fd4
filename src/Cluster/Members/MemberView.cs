namespace Cocaine.Fast.Cluster.Members;

/// <summary>The nodes of the cluster as this node saw them at one moment. Never changed: a later view is another object.</summary>
/// <param name="Nodes">All nodes, by their names.</param>
internal sealed record MemberView(IReadOnlyList<SeenMember> Nodes)
{
    /// <summary>No node at all.</summary>
    public static readonly MemberView Empty = new([]);

    /// <summary>The nodes as they were seen last, for a start without the engine: nobody is called down then.</summary>
    /// <param name="records">The records of the nodes.</param>
    public static MemberView LastSeen(IEnumerable<MemberRecord> records) => new([.. records.Select(record => new SeenMember(
        record, new Member(record.Uuid, record.Name)
        {
            Incarnation = record.Incarnation,
            Labels = record.Labels,
            IsDraining = record.IsDraining,
        }, null))]);
}

/// <summary>A node as another one sees it.</summary>
/// <param name="Record">The node's own word.</param>
/// <param name="Member">The node by the rules of placement.</param>
/// <param name="Apps">How many apps run on it, by its last sign of life; null when there was none in this session.</param>
internal sealed record SeenMember(MemberRecord Record, Member Member, int? Apps)
{
    /// <summary>The load of the node, by the same sign of life.</summary>
    public NodeLoad? Load { get; init; }

    /// <summary>How many of the apps are the cluster's, by the same sign of life.</summary>
    public int? OfCluster { get; init; }

    /// <summary><c>up</c>, <c>draining</c>, <c>drained</c> once no app of the cluster is on the node any more, or <c>down</c>.</summary>
    public string State => Member.DownForMs is not null ? "down" : !Member.IsDraining ? "up" : OfCluster == 0 ? "drained" : "draining";
}
