namespace Cocaine.Fast.Cluster.Leases;

/// <summary>A lease as the engine has it.</summary>
/// <param name="Node">The uuid of the node that wrote it: the holder, unless it is released.</param>
/// <param name="Incarnation">The start of that node: after a restart a node is another holder.</param>
/// <param name="Serial">The number of this write among the writes of that start: no two writes have one, so a node knows its own.</param>
/// <param name="Term">One more with each new holder.</param>
/// <param name="Renewal">One more with each write of a term.</param>
/// <param name="IsReleased">Whether the holder has given the lease up.</param>
/// <param name="Fired">The last claimed time of each task, ms since 1970.</param>
internal sealed record LeaseRecord(
    string Node, long Incarnation, long Serial, long Term, long Renewal, bool IsReleased, IReadOnlyDictionary<string, long> Fired)
{
    /// <summary>Below 0 when this record is older than the other one, 0 when both have one age.</summary>
    /// <param name="other">Another record of the same lease.</param>
    public int CompareAge(LeaseRecord other)
    {
        int terms = Term.CompareTo(other.Term);
        return terms != 0 ? terms : Renewal.CompareTo(other.Renewal);
    }

    /// <summary>Whether both are the same write.</summary>
    /// <param name="one">A record, or none.</param>
    /// <param name="other">Another record, or none.</param>
    public static bool AreSame(LeaseRecord? one, LeaseRecord? other) =>
        (one?.Node, one?.Incarnation, one?.Serial) == (other?.Node, other?.Incarnation, other?.Serial);
}
