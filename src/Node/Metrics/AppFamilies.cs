using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq;
using static Cocaine.Fast.Node.Metrics.MetricsText;

namespace Cocaine.Fast.Node.Metrics;

/// <summary>The metrics of apps. Labels have few values: no slave, event, client or job is one, as such series would never end.</summary>
internal static class AppFamilies
{
    private static readonly string[] States = ["running", "replacing", "paused", "failing", "broken", "draining", "stopped", "failed"];

    private static readonly MetricKind State = new(
        "app_state", "gauge", "1 for the state that the app is in, 0 for the others; failed = it could not be started");

    private static readonly (RefusalReason Reason, string Label)[] Refusals =
    [
        (RefusalReason.QueueJobs, "queue-jobs"), (RefusalReason.QueueBytes, "queue-bytes"), (RefusalReason.Paused, "paused"),
        (RefusalReason.Draining, "draining"), (RefusalReason.Broken, "broken"),
    ];

    /// <summary>Each family, and its series of an app.</summary>
    private static readonly (MetricKind Kind, Action<MetricsText, AppSample, string> Write)[] All =
    [
        (new("app_info", "gauge", "The version of the app that takes new jobs, its type and its backend"), WriteInfo),
        Counter("jobs_accepted_total", "Jobs accepted; accepted = done + failed + queued + running", app => app.Counters.JobsAccepted),
        Counter("jobs_done_total", "Jobs answered by the app without an error", app => app.Counters.JobsDone),
        (new("jobs_failed_total", "counter", "Jobs answered with an error, by its code; app = codes of the app"), WriteErrors),
        (new("jobs_refused_total", "counter", "Jobs that were never accepted, by the reason"), WriteRefused),
        Counter("jobs_waited_total", "Accepted jobs that no slave had room for when they came", app => app.Counters.JobsWaited),
        Counter("jobs_retried_total", "Runs begun again because a slave died", app => app.Counters.JobsRetried),
        Counter("jobs_taken_back_total", "Jobs taken from a slave that had not begun them", app => app.Counters.JobsTakenBack),
        Counter("jobs_cancelled_total", "Jobs whose caller gave up or went away", app => app.Counters.JobsCancelled),
        Counter("jobs_abandoned_total", "Jobs answered by the node that their slave did not end", app => app.Counters.JobsAbandoned),
        Counter("jobs_quarantined_total", "Jobs that killed every slave they ran on", app => app.Counters.JobsQuarantined),
        Counter("jobs_forwarded_out_total", "Jobs given to other nodes of the cluster", app => app.Counters.JobsForwarded),
        Counter("jobs_forwarded_in_total", "Jobs accepted from other nodes", app => app.Counters.JobsTaken),
        Counter("jobs_forwarded_bounced_total", "Jobs given to a node that had no room", app => app.Counters.JobsForwardRefused),
        Counter("jobs_forwarded_failed_total", "Jobs given to a node that was lost with them", app => app.Counters.JobsForwardLost),
        (new("job_timeouts_total", "counter", "Jobs that failed by a timeout, by its kind"), WriteTimeouts),
        Gauge("jobs_running", "Jobs on slaves", app => app.Sum(engine => engine.Running)),
        Gauge("queue_jobs", "Jobs that wait, those of older versions too", app => app.Sum(engine => engine.Queued)),
        Gauge("queue_bytes", "Bytes of the requests that wait", app => app.Engines.Sum(engine => engine.QueueBytes)),
        Gauge("queue_limit_jobs", "The queue-limit of the app", app => app.App.Manifest.Engine.QueueLimit),
        Gauge("queue_limit_bytes", "The queue-bytes of the app; 0 = no limit", app => app.App.Manifest.Engine.QueueBytes),
        Gauge("queue_oldest_age_seconds", "Age of the job that waits longest", app => app.Engines.Max(one => one.OldestAgeMs) / 1000),
        Counter("queue_overloads_total", "Times that the queue began to serve the newest jobs first", app => app.Counters.Overloads),
        (new("slaves", "gauge", "Slaves that are alive, by state"), WriteSlaves),
        Gauge("slaves_limit", "The most slaves", app => app.Engines.Sum(engine => engine.Limit)),
        Gauge("slaves_minimum", "The slaves that are kept without jobs", app => app.Engines.Sum(engine => engine.Minimum)),
        Counter("slaves_started_total", "Slaves started", app => app.Counters.SlavesStarted),
        Counter("slaves_died_total", "Slaves that ended without being asked to", app => app.Counters.SlavesDied),
        Counter("slaves_killed_total", "Slaves killed by the node", app => app.Counters.SlavesKilled),
        Counter("slave_start_failures_total", "Slaves that did not come up, or died young", app => app.Counters.SlaveStartFailures),
        (new("slaves_recycled_total", "counter", "Slaves replaced because they were worn, by the reason"), WriteRecycled),
        OfPublisher("published_total", "Fields published on pubsub, whether somebody heard them or not", one => one.Published),
        OfPublisher("published_dropped_total", "Fields that a subscriber of pubsub did not get, because it was slow", one => one.Dropped),
        OfLease("lease_held", "1 while this node makes the jobs of the app's tasks with run-on: one, else 0", one => one.MayFire ? 1 : 0),
        OfLease("lease_term", "The number of the holder of the app's lease, higher for each", one => one.Term),
    ];

    /// <summary>The families, in the order of the text.</summary>
    public static IEnumerable<MetricKind> Kinds => [State, .. All.Select(family => family.Kind)];

    /// <summary>Writes the metrics of apps, and the state of apps that could not be started.</summary>
    public static void Write(MetricsText text, IReadOnlyList<AppSample> apps, IEnumerable<string> failed)
    {
        text.Family(State);
        foreach ((string app, string state) in apps.Select(app => (app.App.Name, app.State)).Concat(failed.Select(app => (app, "failed"))))
        {
            foreach (string each in States)
            {
                text.Value($"{Label("app", app)},{Label("state", each)}", each == state ? 1 : 0);
            }
        }

        foreach ((MetricKind kind, Action<MetricsText, AppSample, string> write) in All)
        {
            text.Family(kind);
            foreach (AppSample app in apps)
            {
                write(text, app, Label("app", app.App.Name));
            }
        }
    }

    private static (MetricKind, Action<MetricsText, AppSample, string>) Counter(string name, string help, Func<AppSample, ulong> of) =>
        (new(name, "counter", help), (text, app, label) => text.Value(label, of(app)));

    private static (MetricKind, Action<MetricsText, AppSample, string>) Gauge(string name, string help, Func<AppSample, double> of) =>
        (new(name, "gauge", help), (text, app, label) => text.Value(label, of(app)));

    /// <summary>Of apps with pubsub only.</summary>
    private static (MetricKind, Action<MetricsText, AppSample, string>) OfPublisher(
        string name, string help, Func<ZeroMqPublisher, double> of) => (new(name, "counter", help), (text, app, label) =>
        {
            if (app.Publisher is { } publisher)
            {
                text.Value(label, of(publisher));
            }
        }
    );

    /// <summary>Of apps with a lease only.</summary>
    private static (MetricKind, Action<MetricsText, AppSample, string>) OfLease(string name, string help, Func<ISingleton, double> of) =>
        (new(name, "gauge", help), (text, app, label) =>
        {
            if (app.Lease is { } lease)
            {
                text.Value(label, of(lease));
            }
        }
    );

    private static void WriteInfo(MetricsText text, AppSample app, string label) => text.Value(
        $"{label},{Label("version", $"{app.App.Manifest.Version}")},{Label("type", app.App.Manifest.Type.ToString().ToLowerInvariant())},"
        + Label("backend", app.App.Manifest.Engine.Backend.ToString().ToLowerInvariant()), 1);

    private static void WriteErrors(MetricsText text, AppSample app, string label)
    {
        foreach ((string code, long count) in app.Counters.Errors)
        {
            text.Value($"{label},{Label("code", code)}", count);
        }
    }

    private static void WriteRefused(MetricsText text, AppSample app, string label)
    {
        foreach ((RefusalReason reason, string word) in Refusals)
        {
            text.Value($"{label},reason=\"{word}\"", app.Counters.Reasons[reason]);
        }
    }

    private static void WriteTimeouts(MetricsText text, AppSample app, string label)
    {
        EngineCounters counters = app.Counters;
        text.Value($"{label},kind=\"queue\"", counters.QueueTimeouts);
        text.Value($"{label},kind=\"silence\"", counters.SilenceTimeouts);
        text.Value($"{label},kind=\"deadline\"", counters.Deadlines);
        text.Value($"{label},kind=\"job\"", counters.JobTimeouts);
    }

    private static void WriteSlaves(MetricsText text, AppSample app, string label)
    {
        text.Value($"{label},state=\"starting\"", app.Sum(engine => engine.Starting));
        text.Value($"{label},state=\"idle\"", app.Sum(engine => engine.Idle));
        text.Value($"{label},state=\"busy\"", app.Sum(engine => engine.Busy));
    }

    private static void WriteRecycled(MetricsText text, AppSample app, string label)
    {
        EngineCounters counters = app.Counters;
        text.Value($"{label},reason=\"max-jobs\"", counters.RecycledForJobs);
        text.Value($"{label},reason=\"max-age\"", counters.RecycledForAge);
        text.Value($"{label},reason=\"max-rss\"", counters.RecycledForMemory);
        text.Value($"{label},reason=\"abandoned-jobs\"", counters.RecycledForAbandonedJobs);
    }
}
