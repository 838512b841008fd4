namespace Cocaine.Fast.Core.Balancing;

/// <summary>The load of an app on one node, as the node tells it.</summary>
/// <param name="Slots">How many jobs may run at once, 1 or more.</param>
/// <param name="Running">How many jobs run.</param>
/// <param name="Queued">How many jobs wait.</param>
/// <param name="MeanNs">The mean time of a job on a slave, ns.</param>
internal readonly record struct LoadReport(int Slots, int Running, int Queued, long MeanNs)
{
    /// <summary>
    /// The highest number of slots, jobs and nanoseconds that a peer may tell: far above all real ones, far below an overflow.
    /// </summary>
    public const int MostJobs = 1_000_000;

    /// <summary>The longest mean that a peer may tell, ns: an hour.</summary>
    public const long LongestMeanNs = 3_600_000_000_000;

    /// <summary>The jobs that are there.</summary>
    public int Jobs => Running + Queued;

    /// <summary>How long a job that comes now will wait, ns.</summary>
    public long WaitNs => ExpectedWait.Ns(Jobs, Slots, MeanNs);

    /// <summary>Whether all figures are possible: others are a mistake of a peer, or hostile.</summary>
    public bool IsPossible => Slots is >= 1 and <= MostJobs && Running is >= 0 and <= MostJobs && Queued is >= 0 and <= MostJobs
        && MeanNs is >= 0 and <= LongestMeanNs;
}
