namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>The outcome of a run.</summary>
/// <param name="P50">Half of the answered jobs took at most so long, ms.</param>
/// <param name="P99">99 of 100 did, ms.</param>
/// <param name="P999">999 of 1,000 did, ms.</param>
/// <param name="LatePercent">The part of the jobs that took longer than the deadline, or failed.</param>
/// <param name="FailedPercent">The part of the jobs that found no room.</param>
/// <param name="ForwardedPercent">The part of the jobs that ran on another node than the one that was called.</param>
internal sealed record Figures(double P50, double P99, double P999, double LatePercent, double FailedPercent, double ForwardedPercent)
{
    public static Figures Of(List<long> tookNs, int failed, int forwarded, int jobs)
    {
        tookNs.Sort();
        double At(double part) => tookNs.Count == 0 ? 0 : tookNs[Math.Min(tookNs.Count - 1, (int)(part * tookNs.Count))] / 1e6;
        int late = failed + tookNs.Count(took => took > Shape.DeadlineNs);
        int counted = tookNs.Count + failed;
        return new Figures(At(0.5), At(0.99), At(0.999), 100.0 * late / counted, 100.0 * failed / counted, 100.0 * forwarded / jobs);
    }
}
