namespace Cocaine.Fast.Core.Balancing;

/// <summary>How long a job waits where others are before it.</summary>
internal static class ExpectedWait
{
    /// <summary>
    /// The wait of one job more, ns: none while a slot is free, then one mean for each turn of all slots. Bounded figures, as those of a
    /// <see cref="LoadReport"/>, do not overflow.
    /// </summary>
    /// <param name="jobs">The jobs that run, wait, and are on their way.</param>
    /// <param name="slots">How many jobs may run at once, 1 or more.</param>
    /// <param name="meanNs">The mean time of a job, ns.</param>
    public static long Ns(int jobs, int slots, long meanNs) =>
        jobs < slots ? 0 : (long)((jobs - (long)slots + 1) * (double)meanNs / slots);
}
