namespace Cocaine.Fast.Cluster.Leases;

/// <summary>
/// The times of leases, each with its reason. They are client-go's algorithm: durations only, each by one node's own clock.
/// </summary>
internal static class LeaseLimits
{
    /// <summary>A holder renews this often: five renewals may be lost before the lease is.</summary>
    public const long RenewMs = 1000;

    /// <summary>
    /// A holder may act for this long after it sent its last successful write. Shorter than <see cref="PatienceMs"/>: the two clocks may
    /// run at rates that differ by 8 to 6.5, which no working clock does.
    /// </summary>
    public const long ValidMs = 6500;

    /// <summary>
    /// A candidate takes a lease that has not changed for this long. With a renewal of 1 s, and an engine that restarts in under a second
    /// or elects for up to 7 s, a holder that lives rarely loses it; a job of a holder that died comes at most 9 s late.
    /// </summary>
    public const long PatienceMs = 8000;

    /// <summary>
    /// So many nodes wait for a lease: two more than one, so that the death of two in a row stops nothing, and few watch.
    /// </summary>
    public const int Candidates = 3;

    /// <summary>Ticks of the calendar that are late by less are made up: longer than <see cref="PatienceMs"/> and a take-over.</summary>
    public const long GraceMs = 10_000;
}
