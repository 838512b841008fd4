using System.Text.Json;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>An app's state as one JSON object: the answer to <c>info</c>.</summary>
internal static class AppInfo
{
    /// <summary>The most jobs of a slave that info names: the oldest ones, which are probably the jobs that keep the slave busy.</summary>
    private const int MaxJobsOfASlave = 16;

    /// <summary>The object as text; on the app's loop.</summary>
    /// <param name="app">The app.</param>
    /// <param name="forOperators">
    /// The text goes to the control socket, with the output of failed starts. Callers of the app, who may be anybody, only get the kind of
    /// the failure.
    /// </param>
    public static string Text(RunningApp app, bool forOperators)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            Write(writer, app, forOperators);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The row of a list; on the app's loop.</summary>
    public static AppSummary Summary(RunningApp app)
    {
        AppEngine engine = app.Version.Engine;
        SlaveRoster[] rosters = [engine.Pool.Roster, .. app.Older.Select(older => older.Engine.Pool.Roster)];
        return new AppSummary(
            app.Name, app.Manifest.Version, StateOf(app), rosters.Sum(roster => roster.Total), rosters.Sum(roster => roster.Busy),
            QueuedJobs(app), (long)engine.Counters.JobsDone, (long)engine.Counters.JobsFailed, [.. app.Endpoints.Select(at => at.Endpoint)],
            engine.Pool.Starts.IsFailing ? engine.Pool.LastFailure : null);
    }

    private static string StateOf(RunningApp app)
    {
        AppEngine engine = app.Version.Engine;
        return engine.State != EngineState.Running ? engine.State.ToString().ToLowerInvariant()
            : engine.Pool.IsBroken ? "broken" : engine.IsPaused ? "paused"
            : engine.Pool.Starts.IsFailing ? "failing"
            : app.Phase == AppPhase.Replacing ? "replacing" : "running";
    }

    /// <summary>Versions with jobs, each once: a stopping app's last version is among the older ones.</summary>
    private static IEnumerable<AppVersion> Versions(RunningApp app) => app.Older.Where(older => older != app.Version).Append(app.Version);

    private static int QueuedJobs(RunningApp app) => Versions(app).Sum(version => version.Engine.Queue.Count);

    private static void Write(Utf8JsonWriter json, RunningApp app, bool forOperators)
    {
        AppManifest manifest = app.Manifest;
        AppEngine engine = app.Version.Engine;
        SlavePool pool = engine.Pool;
        EventLoop loop = app.Loop;
        long nowMs = loop.NowMs;
        Job? oldest = engine.Queue.Oldest;
        json.WriteStartObject();
        json.WriteString("app", manifest.Name);
        json.WriteNumber("version", manifest.Version);
        json.WriteString("state", StateOf(app));
        json.WriteBoolean("paused", engine.IsPaused); // a broken app may be paused too
        if (pool.Starts.IsFailing)
        {
            json.WriteString("cause", forOperators ? pool.LastFailure : StartFailure.KindOf(pool.LastFailure));
        }

        WriteVersions(json, app);
        json.WriteStartObject("queue");
        json.WriteNumber("depth", engine.Queue.Count);
        json.WriteNumber("placed", engine.Queue.Placed);
        json.WriteNumber("limit", manifest.Engine.QueueLimit);
        json.WriteNumber("bytes", engine.Queue.SizeBytes);
        json.WriteNumber("bytes-limit", manifest.Engine.QueueBytes);
        json.WriteString("serves", engine.Queue.ServesNewest ? "newest" : "oldest");
        json.WriteNumber("overloads", engine.Counters.Overloads);
        json.WriteNumber("oldest-age-ms", oldest is null ? 0 : Math.Max(0, nowMs - Clock.MsOf(oldest.ArrivedNs)));
        json.WriteEndObject();
        WriteJobs(json, app);
        WritePool(json, manifest, engine, nowMs);
        json.WriteStartObject("tasks");
        foreach (AppTask task in app.Tasks.Tasks)
        {
            WriteTask(json, task.Manifest, task.Driver);
        }

        json.WriteEndObject();
        WritePubsub(json, app.Tasks.Publisher);
        WriteLoop(json, loop.Counters);
        WriteNode(json);
        json.WriteEndObject();
    }

    /// <summary>Writes the version that comes up, and the versions that finish their jobs.</summary>
    private static void WriteVersions(Utf8JsonWriter json, RunningApp app)
    {
        if (app.Replacement is { } replacement)
        {
            json.WriteStartObject("next");
            json.WriteNumber("version", replacement.Next.Manifest.Version);
            json.WriteNumber("starting", replacement.Next.Engine.Pool.Roster.Starting);
            json.WriteNumber("age-ms", replacement.Next.AgeMs);
            json.WriteEndObject();
        }

        json.WriteStartArray("older");
        foreach (AppVersion older in app.Older.Where(older => older != app.Version))
        {
            json.WriteStartObject();
            json.WriteNumber("version", older.Manifest.Version);
            json.WriteNumber("queued", older.Engine.Queue.Count);
            json.WriteNumber("running", older.Engine.RunningJobs);
            json.WriteNumber("slaves", older.Engine.Pool.Roster.Total);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WritePubsub(Utf8JsonWriter json, ZeroMqPublisher? publisher)
    {
        if (publisher is null)
        {
            return;
        }

        json.WriteStartObject("pubsub");
        json.WriteStartArray("endpoints");
        foreach (string endpoint in publisher.Endpoints)
        {
            json.WriteStringValue(endpoint);
        }

        json.WriteEndArray();
        json.WriteNumber("published", publisher.Published);
        json.WriteNumber("dropped", publisher.Dropped);
        json.WriteEndObject();
    }

    /// <summary>Writes the system calls of the app's loop; other apps may be on the same loop.</summary>
    private static void WriteLoop(Utf8JsonWriter json, LoopCounters counters)
    {
        json.WriteStartObject("loop");
        json.WriteNumber("turns", counters.Turns);
        json.WriteNumber("receives", counters.Receives);
        json.WriteNumber("sends", counters.Sends);
        json.WriteNumber("bells", counters.Bells);
        json.WriteEndObject();
    }

    /// <summary>Writes facts of the process, which the app shares with others: its memory shows whether requests make garbage.</summary>
    private static void WriteNode(Utf8JsonWriter json)
    {
        json.WriteStartObject("node");
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteNumber("rss-bytes", Environment.WorkingSet);
        json.WriteNumber("cpu-s", Environment.CpuUsage.TotalTime.TotalSeconds);
        json.WriteNumber("allocated-bytes", GC.GetTotalAllocatedBytes(precise: true)); // otherwise in steps of 8 KiB
        json.WriteStartArray("collections");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            json.WriteNumberValue(GC.CollectionCount(generation));
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes the jobs of all versions together: they have the same counters.</summary>
    private static void WriteJobs(Utf8JsonWriter json, RunningApp app)
    {
        EngineCounters counters = app.Version.Engine.Counters;
        json.WriteStartObject("jobs");
        json.WriteNumber("accepted", counters.JobsAccepted);
        json.WriteNumber("done", counters.JobsDone);
        json.WriteNumber("failed", counters.JobsFailed);
        json.WriteNumber("queued", QueuedJobs(app));
        json.WriteNumber("running", Versions(app).Sum(version => version.Engine.RunningJobs));
        json.WriteNumber("rejected", counters.JobsRejected);
        json.WriteNumber("retried", counters.JobsRetried);
        json.WriteNumber("recalls", counters.Recalls);
        json.WriteNumber("taken-back", counters.JobsTakenBack);
        json.WriteNumber("cancelled", counters.JobsCancelled);
        json.WriteNumber("client-gone", counters.ClientsGone);
        json.WriteNumber("abandoned", counters.JobsAbandoned);
        json.WriteNumber("quarantined", counters.JobsQuarantined);
        json.WriteNumber("suspects", Versions(app).Sum(version => version.Engine.Queue.Suspects.Count));
        json.WriteStartObject("errors");
        foreach ((string code, long count) in counters.Errors)
        {
            json.WriteNumber(code, count);
        }

        json.WriteEndObject();
        json.WriteStartObject("timeouts");
        json.WriteNumber("startup", counters.StartupTimeouts);
        json.WriteNumber("heartbeat", counters.HeartbeatTimeouts);
        json.WriteNumber("queue", counters.QueueTimeouts);
        json.WriteNumber("silence", counters.SilenceTimeouts);
        json.WriteNumber("deadline", counters.Deadlines);
        json.WriteNumber("job", counters.JobTimeouts);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePool(Utf8JsonWriter json, AppManifest manifest, AppEngine engine, long nowMs)
    {
        SlavePool pool = engine.Pool;
        SlaveRoster roster = pool.Roster;
        json.WriteStartObject("pool");
        json.WriteNumber("limit", roster.Limit);
        json.WriteNumber("minimum", roster.Minimum);
        json.WriteNumber("total", roster.Total);
        json.WriteNumber("starting", roster.Starting);
        json.WriteNumber("idle", roster.Idle);
        json.WriteNumber("busy", roster.Busy);
        json.WriteNumber("sleeping", pool.Cores.Sleeping);
        json.WriteNumber("concurrency", engine.Scope.Concurrency);
        json.WriteString("concurrency-from", manifest.Engine.IsConcurrencySet ? "manifest"
            : engine.Scope.IsConcurrencyWished ? "worker" : "default");
        if (manifest.Engine.Backend == BackendType.Thread)
        {
            json.WriteNumber("threads-left-behind", pool.Backend.ThreadsLeft);
            json.WriteNumber("code-left-behind", pool.Backend.CodeLeft);
        }

        json.WriteNumber("leaving", roster.Leaving);
        json.WriteStartObject("starts");
        json.WriteNumber("all", engine.Counters.SlavesStarted);
        json.WriteNumber("failed", engine.Counters.SlaveStartFailures);
        json.WriteNumber("failed-in-a-row", pool.Starts.Failures);
        json.WriteNumber("next-try-ms", pool.Growth.NextTryMs);
        json.WriteString("no-room", pool.Growth.NoRoomReason);
        json.WriteEndObject();
        json.WriteStartObject("recycled");
        json.WriteNumber("max-jobs", engine.Counters.RecycledForJobs);
        json.WriteNumber("max-age", engine.Counters.RecycledForAge);
        json.WriteNumber("max-rss", engine.Counters.RecycledForMemory);
        json.WriteNumber("abandoned-jobs", engine.Counters.RecycledForAbandonedJobs);
        json.WriteNumber("failed", engine.Counters.RecyclingsFailed);
        json.WriteEndObject();
        json.WriteStartArray("slaves");
        foreach (Slave slave in roster.Slaves)
        {
            json.WriteStartObject();
            json.WriteString("id", slave.ShortId);
            json.WriteString("state", slave.State.ToString().ToLowerInvariant());
            json.WriteString("pipe", slave.Link.Kind);
            json.WriteNumber("pid", slave.Link.ProcessId);
            json.WriteNumber("load", slave.Load);
            json.WriteNumber("placed", slave.Ahead.Count);
            WriteRunning(json, slave, nowMs);
            if (slave.Channels.Abandoned > 0)
            {
                json.WriteNumber("abandoned", slave.Channels.Abandoned);
            }

            json.WriteNumber("jobs-done", slave.JobsDone);
            json.WriteNumber("age-ms", nowMs - slave.StartedMs);
            if (slave.Wear.RssBytes > 0)
            {
                json.WriteNumber("rss-bytes", slave.Wear.RssBytes);
            }

            json.WriteNumber("silent-ms", Math.Max(0, slave.Scope.Loop.ListenedMs - slave.LastHeardMs));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// Writes the jobs that have been on a slave longest, up to the bound; "load" has their number. An answered job in this list is one
    /// that its worker continues although the caller has got an error.
    /// </summary>
    private static void WriteRunning(Utf8JsonWriter json, Slave slave, long nowMs)
    {
        json.WriteStartArray("jobs");
        foreach (Job job in slave.Channels.ToList().Where(job => job.State != JobState.Placed).Take(MaxJobsOfASlave))
        {
            json.WriteStartObject();
            json.WriteNumber("id", job.Id);
            json.WriteString("event", System.Text.Encoding.UTF8.GetString(job.Event));
            json.WriteNumber("age-ms", Math.Max(0, nowMs - Clock.MsOf(job.DispatchedNs)));
            if (job.IsAnswered)
            {
                json.WriteBoolean("answered", true);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteTask(Utf8JsonWriter json, TaskManifest task, Driver driver)
    {
        json.WriteStartObject(task.Name);
        json.WriteString("type", task.DriverType);
        json.WriteStartArray("endpoints");
        foreach (string endpoint in driver.Endpoints)
        {
            json.WriteStringValue(endpoint);
        }

        json.WriteEndArray();
        foreach ((string name, object value) in driver.Facts)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value);
        }

        TaskMonitor monitor = driver.Monitor;
        WriteTimes(json, "time-in-queue-s", monitor.TimeInQueue.Snapshot(), monitor.FailedInQueue);
        WriteTimes(json, "time-on-slave-s", monitor.TimeOnSlave.Snapshot(), monitor.FailedOnSlave);
        json.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter json, string name, LatencySnapshot times, long failed)
    {
        json.WriteStartObject(name);
        json.WriteNumber("p50", times.P50 / 1e9);
        json.WriteNumber("p99", times.P99 / 1e9);
        json.WriteNumber("p999", times.P999 / 1e9);
        json.WriteNumber("max", times.Max / 1e9);
        json.WriteNumber("sum", times.Sum / 1e9);
        json.WriteNumber("count", times.Count);
        json.WriteNumber("failed", failed); // the jobs among them that failed in this stage
        json.WriteEndObject();
    }
}
