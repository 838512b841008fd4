namespace Cocaine.Fast.Cluster.Leases;

/// <summary>The ticks of a calendar that a holder makes up.</summary>
internal static class MadeUpTicks
{
    /// <summary>The time after which scheduled times are still to be claimed, ms since 1970; a tick of a longer gap is missed.</summary>
    /// <param name="firedMs">The last claimed time; null when none is known, and then nothing is made up.</param>
    /// <param name="sinceMs">When this node began to hold the lease, by its own calendar.</param>
    /// <param name="nowMs">This node's own calendar.</param>
    public static long After(long? firedMs, long sinceMs, long nowMs) => Math.Max(firedMs ?? sinceMs, nowMs - LeaseLimits.GraceMs);
}
