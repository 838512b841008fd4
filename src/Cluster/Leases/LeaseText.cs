using Cocaine.Fast.Cluster.Members;

namespace Cocaine.Fast.Cluster.Leases;

/// <summary>The text of a lease in the engine: JSON that people can read. A text may be anything.</summary>
internal static class LeaseText
{
    /// <summary>Terms and renewals above it are nobody's: one write each microsecond would take 285 years to it.</summary>
    private const long Most = 1L << 53;

    /// <summary>The record of a text; null when the text is none, and then the next holder writes over it.</summary>
    /// <param name="text">The text.</param>
    public static LeaseRecord? Read(ReadOnlySpan<byte> text) =>
        MemberText.Read<LeaseRecord>(text) is { Term: > 0 and < Most, Renewal: >= 0 and < Most } record ? record : null;
}
