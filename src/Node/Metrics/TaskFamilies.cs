using Cocaine.Fast.Node.Shards;
using static Cocaine.Fast.Node.Metrics.MetricsText;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The times of the jobs of each task, as histograms, and the counts of its driver.</summary>
internal static class TaskFamilies
{
    /// <summary>Each family, and the value of a task; null when the task has none.</summary>
    private static readonly (MetricKind Kind, Func<TaskView, double?> Of)[] Numbers =
    [
        (new("connections", "gauge", "Clients that are connected to the task"), task => task.Connections),
        (new("connections_refused_total", "counter", "Connections over the bound of their address, or of the task"),
            task => task.Connections is null ? null : task.Counts.ConnectionsRefused),
        (new("malformed_total", "counter", "Messages of peers that break their protocol"), task => task.Counts.Malformed),
        (new("events_dropped_total", "counter", "Ticks, changes and messages that made no job, because the app refused it"),
            task => task.Counts.Dropped),
        (new("ticks_total", "counter", "Ticks of timers, those that made no job too"),
            task => task.HasTicks ? task.Counts.Ticks : null),
        (new("ticks_skipped_total", "counter", "Ticks left out, because the node was late or the last job was running"),
            task => task.HasTicks ? task.Counts.TicksSkipped : null),
    ];

    private static readonly MetricKind InQueue = new(
        "job_queue_seconds", "histogram", "From the arrival of a job to its dispatch, or to its error while it waited");

    private static readonly MetricKind OnSlave = new(
        "job_service_seconds", "histogram", "From the dispatch of a job to its answer, by the app or by the node");

    public static IEnumerable<MetricKind> Kinds => [InQueue, OnSlave, .. Numbers.Select(family => family.Kind)];

    public static void Write(MetricsText text, IReadOnlyList<AppSample> apps)
    {
        Write(text, InQueue, apps, (task, labels) => text.Histogram(labels, task.InQueue));
        Write(text, OnSlave, apps, (task, labels) => text.Histogram(labels, task.OnSlave));
        foreach ((MetricKind kind, Func<TaskView, double?> of) in Numbers)
        {
            Write(text, kind, apps, (task, labels) =>
            {
                if (of(task) is { } value)
                {
                    text.Value(labels, value);
                }
            });
        }
    }

    private static void Write(MetricsText text, MetricKind kind, IReadOnlyList<AppSample> apps, Action<TaskView, string> write)
    {
        text.Family(kind);
        foreach (AppSample app in apps)
        {
            foreach (TaskView task in app.Tasks)
            {
                write(task, $"{Label("app", app.App.Name)},{Label("task", task.Name)}");
            }
        }
    }
}
