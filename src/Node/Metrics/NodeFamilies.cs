using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Transport.Loop;
using static Cocaine.Fast.Node.Metrics.MetricsText;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The metrics of the node itself, and those of its process that every program has.</summary>
internal static class NodeFamilies
{
    private static readonly (MetricKind Kind, Action<MetricsText, NodeSample> Write)[] All =
    [
        (new("build_info", "gauge", "The release of the node"),
            (text, _) => text.Value(Label("version", ProductVersion.Text), 1)),
        (new("apps_silent", "gauge", "Apps whose loop did not answer in time: the text has no figures of them"),
            (text, sample) => text.Value(sample.Silent)),
        OfLoops("loop_turns_total", "Turns of an event loop", loop => loop.Turns),
        OfLoops("loop_receives_total", "Receives from sockets", loop => loop.Receives),
        OfLoops("loop_sends_total", "Sends to sockets", loop => loop.Sends),
        OfLoops("loop_bells_total", "Slaves woken", loop => loop.Bells),
        OfLoops("loop_stalls_total", "Times that a loop did not run for a while: it was busy, or the process stopped", loop => loop.Stalls),
        OfLoops("loop_stalled_seconds_total", "The sum of these times", loop => loop.StalledNs / 1e9),
        (new("loop_busy_seconds_total", "counter", "CPU time of the thread of an event loop"), WriteBusy),
        (new("log_lines_dropped_total", "counter", "Lines of the log that were lost, because standard error did not take them"),
            (text, sample) => text.Value(sample.Node.Doors.LogLinesLost)),
        (new("callers_denied_total", "counter", "Callers and calls that the rules have refused"),
            (text, sample) => text.Value(sample.Node.Doors.Keeper.Audit.Denied)),
        (new("quarantine_jobs", "gauge", "Jobs in quarantine"),
            (text, sample) => text.Value(sample.Node.Quarantine.List(null).Count)),
        (Standard("process_cpu_seconds_total", "counter", "CPU time of the node, without its slaves that are processes"),
            (text, _) => text.Value(Environment.CpuUsage.TotalTime.TotalSeconds)),
        (Standard("process_resident_memory_bytes", "gauge", "Resident memory of the node, without its slaves that are processes"),
            (text, _) => text.Value(Environment.WorkingSet)),
        (Standard("process_open_fds", "gauge", "Open file descriptors"), (text, _) => text.Value(ProcessFacts.OpenDescriptors)),
        (Standard("process_max_fds", "gauge", "The most file descriptors"), (text, _) => text.Value(ProcessFacts.MostDescriptors)),
        (Standard("process_start_time_seconds", "gauge", "Start of the node since the Unix epoch"),
            (text, sample) => text.Value(sample.Node.Since.ToUnixTimeMilliseconds() / 1000.0)),
        (Standard("dotnet_gc_collections_total", "counter", "Collections of the node's garbage"), WriteCollections),
    ];

    public static IEnumerable<MetricKind> Kinds => All.Select(family => family.Kind);

    public static void Write(MetricsText text, NodeSample sample)
    {
        foreach ((MetricKind kind, Action<MetricsText, NodeSample> write) in All)
        {
            text.Family(kind);
            write(text, sample);
        }
    }

    private static MetricKind Standard(string name, string type, string help) => new(name, type, help) { IsStandard = true };

    private static (MetricKind, Action<MetricsText, NodeSample>) OfLoops(string name, string help, Func<LoopCounters, double> of) =>
        (new(name, "counter", help), (text, sample) =>
        {
            IReadOnlyList<EventLoop> loops = sample.Node.Loops;
            for (int i = 0; i < loops.Count; i++)
            {
                text.Value(Label("loop", $"{i}"), of(loops[i].Counters));
            }
        }
    );

    private static void WriteBusy(MetricsText text, NodeSample sample)
    {
        for (int i = 0; i < sample.LoopSeconds.Count; i++)
        {
            if (sample.LoopSeconds[i] is { } seconds)
            {
                text.Value(Label("loop", $"{i}"), seconds);
            }
        }
    }

    private static void WriteCollections(MetricsText text, NodeSample sample)
    {
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            text.Value(Label("generation", $"{generation}"), GC.CollectionCount(generation));
        }
    }
}
