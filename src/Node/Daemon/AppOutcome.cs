using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The last attempt of this node to follow the record of an app.</summary>
/// <param name="Generation">The generation of the record.</param>
/// <param name="Made">The manifest of the record.</param>
/// <param name="Reason">Why the app does not run as the record says; null when it does.</param>
/// <param name="LacksCode">Whether the code is not on this node.</param>
internal sealed record AppOutcome(long Generation, long Made, string? Reason, bool LacksCode)
{
    /// <summary>Whether it was an attempt to follow this record: another one is worth another attempt.</summary>
    /// <param name="record">The record, with its manifest for this node.</param>
    public bool IsOf(AppRecord record) => (Generation, Made) == (record.Generation, record.Made);
}
