using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Node.Shards;
using static Cocaine.Fast.Node.Metrics.MetricsText;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The times of the jobs of each task, as histograms.</summary>
internal static class TaskFamilies
{
    /// <summary>The bounds of the buckets, ns: 50 µs to a minute. A value is at most 1/32 too high.</summary>
    public static readonly long[] BoundsNs =
    [
        50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 100_000_000,
        250_000_000, 500_000_000, 1_000_000_000, 2_500_000_000, 10_000_000_000, 60_000_000_000,
    ];

    private static readonly MetricKind InQueue = new(
        "job_queue_seconds", "histogram", "From the arrival of a job to its dispatch, or to its error while it waited");

    private static readonly MetricKind OnSlave = new(
        "job_service_seconds", "histogram", "From the dispatch of a job to its answer, by the app or by the node");

    public static IEnumerable<MetricKind> Kinds => [InQueue, OnSlave];

    public static void Write(MetricsText text, IReadOnlyList<AppSample> apps)
    {
        Write(text, InQueue, apps, task => task.InQueue);
        Write(text, OnSlave, apps, task => task.OnSlave);
    }

    private static void Write(MetricsText text, MetricKind kind, IReadOnlyList<AppSample> apps, Func<TaskView, LatencyHistogram> of)
    {
        Span<long> counts = stackalloc long[BoundsNs.Length];
        text.Family(kind);
        foreach (AppSample app in apps)
        {
            foreach (TaskView task in app.Tasks)
            {
                LatencyHistogram times = of(task);
                long sumNs = times.Sum; // before the counts, which may have more jobs by then
                long count = times.CountUpTo(BoundsNs, counts);
                text.Histogram($"{Label("app", app.App.Name)},{Label("task", task.Name)}", counts, count, sumNs);
            }
        }
    }
}
