using Cocaine.Fast.Core.Monitoring;
using static Cocaine.Fast.Node.Metrics.MetricsText;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The metrics of slaves: their ends and starts, the decisions of pools, and the use of CPU and memory.</summary>
internal static class SlaveFamilies
{
    private static readonly (SlaveEnd End, string Label)[] Ends =
    [
        (SlaveEnd.Exit, "exit"), (SlaveEnd.Signal, "signal"), (SlaveEnd.Silent, "silent"), (SlaveEnd.Hung, "hung"),
        (SlaveEnd.Protocol, "protocol"), (SlaveEnd.Start, "start"), (SlaveEnd.Recycled, "recycled"), (SlaveEnd.Scaled, "scaled"),
        (SlaveEnd.Stopped, "stopped"),
    ];

    private static readonly (PoolDecision Decision, string Labels)[] Decisions =
    [
        (PoolDecision.GrowForStart, "action=\"grow\",reason=\"start\""),
        (PoolDecision.GrowForJobs, "action=\"grow\",reason=\"jobs\""),
        (PoolDecision.GrowForMinimum, "action=\"grow\",reason=\"minimum\""),
        (PoolDecision.GrowForOthers, "action=\"grow\",reason=\"other-loop\""),
        (PoolDecision.GrowAgain, "action=\"grow\",reason=\"again\""),
        (PoolDecision.HoldAtLimit, "action=\"hold\",reason=\"limit\""),
        (PoolDecision.HoldWithoutRoom, "action=\"hold\",reason=\"no-room\""),
        (PoolDecision.HoldAfterFailure, "action=\"hold\",reason=\"failed-start\""),
        (PoolDecision.ShrinkIdle, "action=\"shrink\",reason=\"idle\""),
        (PoolDecision.ShrinkToLimit, "action=\"shrink\",reason=\"limit\""),
    ];

    private static readonly (MetricKind Kind, Action<MetricsText, AppSample, string> Write)[] All =
    [
        (new("slaves_ended_total", "counter", "Slaves that have ended, by the cause"), WriteEnds),
        (new("slave_start_seconds", "histogram", "From the launch of a slave until it was ready"),
            (text, app, label) => text.Histogram(label, app.Counters.Reasons.Starts)),
        (new("pool_decisions_total", "counter", "Decisions of the pool about its size, by action and reason"), WriteDecisions),
        (new("slaves_cpu_seconds_total", "counter", "CPU time of the processes of slaves, read every 5 s"),
            (text, app, label) => text.Value(label, app.SlaveCpuSeconds)),
        (new("slaves_resident_memory_bytes", "gauge", "Resident memory of the processes of slaves, read every 5 s"),
            (text, app, label) => text.Value(label, app.SlaveBytes)),
    ];

    public static IEnumerable<MetricKind> Kinds => All.Select(family => family.Kind);

    public static void Write(MetricsText text, IReadOnlyList<AppSample> apps)
    {
        foreach ((MetricKind kind, Action<MetricsText, AppSample, string> write) in All)
        {
            text.Family(kind);
            foreach (AppSample app in apps)
            {
                write(text, app, Label("app", app.App.Name));
            }
        }
    }

    private static void WriteEnds(MetricsText text, AppSample app, string label)
    {
        foreach ((SlaveEnd end, string cause) in Ends)
        {
            text.Value($"{label},cause=\"{cause}\"", app.Counters.Reasons[end]);
        }
    }

    private static void WriteDecisions(MetricsText text, AppSample app, string label)
    {
        foreach ((PoolDecision decision, string labels) in Decisions)
        {
            if (app.Counters.Reasons[decision] is > 0 and ulong times)
            {
                text.Value($"{label},{labels}", times);
            }
        }
    }
}
