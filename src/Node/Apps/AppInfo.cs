using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Pools;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Node.Shards;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>An app's state as one JSON object: the answer to <c>info</c>.</summary>
internal static class AppInfo
{
    /// <summary>The object as text.</summary>
    /// <param name="app">The app, on its first loop.</param>
    /// <param name="view">The app's state.</param>
    /// <param name="forOperators">
    /// The text goes to the control socket, with the output of failed starts. Callers of the app, who may be anybody, only get the kind of
    /// the failure.
    /// </param>
    public static string Text(RunningApp app, AppView view, bool forOperators)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream))
        {
            Write(writer, app, view, forOperators);
        }

        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    /// <summary>The row of a list.</summary>
    public static AppSummary Summary(RunningApp app, AppView view)
    {
        EngineCounters counters = view.Counters;
        return new AppSummary(
            app.Name, app.Manifest.Version, view.State, view.Sum(engine => engine.Total), view.Sum(engine => engine.Busy),
            view.Sum(engine => engine.Queued), (long)counters.JobsDone, (long)counters.JobsFailed,
            [.. app.Endpoints.Select(at => at.Endpoint)], view.Cause);
    }

    private static void Write(Utf8JsonWriter json, RunningApp app, AppView view, bool forOperators)
    {
        AppManifest manifest = app.Manifest;
        json.WriteStartObject();
        json.WriteString("app", manifest.Name);
        json.WriteNumber("version", manifest.Version);
        json.WriteString("state", view.State);
        json.WriteBoolean("paused", view.Home.IsPaused); // a broken app may be paused too
        if (view.Cause is { } cause)
        {
            json.WriteString("cause", forOperators ? cause : StartFailure.KindOf(cause));
        }

        WriteVersions(json, app, view);
        WriteQueue(json, manifest, view);
        WriteJobs(json, view);
        WritePool(json, manifest, view);
        WriteShards(json, view);
        json.WriteStartObject("tasks");
        foreach (TaskView task in view.Tasks)
        {
            WriteTask(json, task);
        }

        json.WriteEndObject();
        WritePubsub(json, app.Tasks.Publisher);
        WriteLoop(json, [.. view.Shards.Select(shard => shard.Loop)]);
        WriteNode(json);
        json.WriteEndObject();
    }

    /// <summary>Writes the version that comes up, and the versions that finish their jobs.</summary>
    private static void WriteVersions(Utf8JsonWriter json, RunningApp app, AppView view)
    {
        if (app.Replacement is { } replacement)
        {
            json.WriteStartObject("next");
            json.WriteNumber("version", replacement.Next.Manifest.Version);
            json.WriteNumber("starting", replacement.Next.Engines.Sum(engine => engine.Pool.Roster.Starting));
            json.WriteNumber("age-ms", replacement.Next.AgeMs);
            json.WriteEndObject();
        }

        json.WriteStartArray("older");
        foreach ((AppVersion older, IReadOnlyList<EngineView> engines) in view.Older)
        {
            json.WriteStartObject();
            json.WriteNumber("version", older.Manifest.Version);
            json.WriteNumber("queued", engines.Sum(engine => engine.Queued));
            json.WriteNumber("running", engines.Sum(engine => engine.Running));
            json.WriteNumber("slaves", engines.Sum(engine => engine.Total));
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteQueue(Utf8JsonWriter json, AppManifest manifest, AppView view)
    {
        IReadOnlyList<EngineView> engines = view.Engines;
        json.WriteStartObject("queue");
        json.WriteNumber("depth", engines.Sum(engine => engine.Queued));
        json.WriteNumber("placed", engines.Sum(engine => engine.Placed));
        json.WriteNumber("limit", manifest.Engine.QueueLimit);
        json.WriteNumber("bytes", engines.Sum(engine => engine.QueueBytes));
        json.WriteNumber("bytes-limit", manifest.Engine.QueueBytes);
        json.WriteString("serves", engines.Any(engine => engine.ServesNewest) ? "newest" : "oldest");
        json.WriteNumber("overloads", view.Counters.Overloads);
        json.WriteNumber("oldest-age-ms", (long)engines.Max(engine => engine.OldestAgeMs));
        json.WriteEndObject();
    }

    /// <summary>Writes each shard beside the sums, for an app on several loops.</summary>
    private static void WriteShards(Utf8JsonWriter json, AppView view)
    {
        if (view.Shards.Count == 1)
        {
            return;
        }

        json.WriteStartArray("shards");
        foreach (ShardView shard in view.Shards)
        {
            json.WriteStartObject();
            json.WriteNumber("accepted", shard.Counters.JobsAccepted);
            json.WriteNumber("done", shard.Counters.JobsDone);
            json.WriteNumber("failed", shard.Counters.JobsFailed);
            json.WriteNumber("queued", shard.Sum(engine => engine.Queued));
            json.WriteNumber("running", shard.Sum(engine => engine.Running));
            json.WriteNumber("rejected", shard.Counters.JobsRejected);
            json.WriteNumber("sent-away", shard.Counters.JobsSentAway);
            json.WriteNumber("sent-back", shard.Counters.JobsSentBack);
            json.WriteNumber("limit", shard.Engine?.Limit ?? 0);
            json.WriteNumber("slaves", shard.Sum(engine => engine.Total));
            json.WriteNumber("idle", shard.Sum(engine => engine.Idle));
            json.WriteNumber("busy", shard.Sum(engine => engine.Busy));
            WriteLoop(json, shard.Loop);
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

    /// <summary>Writes the system calls of the app's loops; other apps may be on the same ones.</summary>
    private static void WriteLoop(Utf8JsonWriter json, params IReadOnlyList<LoopCounters> loops)
    {
        json.WriteStartObject("loop");
        json.WriteNumber("turns", loops.Sum(loop => loop.Turns));
        json.WriteNumber("receives", loops.Sum(loop => loop.Receives));
        json.WriteNumber("sends", loops.Sum(loop => loop.Sends));
        json.WriteNumber("bells", loops.Sum(loop => loop.Bells));
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
    private static void WriteJobs(Utf8JsonWriter json, AppView view)
    {
        EngineCounters counters = view.Counters;
        json.WriteStartObject("jobs");
        json.WriteNumber("accepted", counters.JobsAccepted);
        json.WriteNumber("done", counters.JobsDone);
        json.WriteNumber("failed", counters.JobsFailed);
        json.WriteNumber("queued", view.Sum(engine => engine.Queued));
        json.WriteNumber("running", view.Sum(engine => engine.Running));
        json.WriteNumber("rejected", counters.JobsRejected);
        json.WriteNumber("retried", counters.JobsRetried);
        json.WriteNumber("recalls", counters.Recalls);
        json.WriteNumber("taken-back", counters.JobsTakenBack);
        json.WriteNumber("cancelled", counters.JobsCancelled);
        json.WriteNumber("client-gone", counters.ClientsGone);
        json.WriteNumber("abandoned", counters.JobsAbandoned);
        json.WriteNumber("quarantined", counters.JobsQuarantined);
        json.WriteNumber("suspects", view.Sum(engine => engine.Suspects));
        json.WriteStartObject("forwarded");
        json.WriteNumber("out", counters.JobsForwarded);
        json.WriteNumber("in", counters.JobsTaken);
        json.WriteNumber("bounced", counters.JobsForwardRefused);
        json.WriteNumber("lost", counters.JobsForwardLost);
        json.WriteEndObject();
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

    private static void WritePool(Utf8JsonWriter json, AppManifest manifest, AppView view)
    {
        IReadOnlyList<EngineView> engines = view.Engines;
        EngineCounters counters = view.Counters;
        json.WriteStartObject("pool");
        json.WriteNumber("limit", engines.Sum(engine => engine.Limit));
        json.WriteNumber("minimum", engines.Sum(engine => engine.Minimum));
        json.WriteNumber("total", engines.Sum(engine => engine.Total));
        json.WriteNumber("starting", engines.Sum(engine => engine.Starting));
        json.WriteNumber("idle", engines.Sum(engine => engine.Idle));
        json.WriteNumber("busy", engines.Sum(engine => engine.Busy));
        json.WriteNumber("sleeping", engines.Sum(engine => engine.Sleeping));
        json.WriteNumber("concurrency", engines.Max(engine => engine.Concurrency));
        json.WriteString("concurrency-from", manifest.Engine.IsConcurrencySet ? "manifest"
            : engines.Any(engine => engine.IsConcurrencyWished) ? "worker" : "default");
        if (manifest.Engine.Backend == BackendType.Thread)
        {
            json.WriteNumber("threads-left-behind", view.Home.ThreadsLeft); // counted for the whole app
            json.WriteNumber("code-left-behind", view.Home.CodeLeft);
        }

        json.WriteNumber("leaving", engines.Sum(engine => engine.Leaving));
        json.WriteStartObject("starts");
        json.WriteNumber("all", counters.SlavesStarted);
        json.WriteNumber("failed", counters.SlaveStartFailures);
        json.WriteNumber("failed-in-a-row", engines.Max(engine => engine.StartFailures));
        json.WriteNumber("next-try-ms", engines.Max(engine => engine.NextTryMs));
        json.WriteString("no-room", engines.Select(engine => engine.NoRoomReason).FirstOrDefault(reason => reason.Length > 0) ?? "");
        json.WriteEndObject();
        json.WriteStartObject("recycled");
        json.WriteNumber("max-jobs", counters.RecycledForJobs);
        json.WriteNumber("max-age", counters.RecycledForAge);
        json.WriteNumber("max-rss", counters.RecycledForMemory);
        json.WriteNumber("abandoned-jobs", counters.RecycledForAbandonedJobs);
        json.WriteNumber("failed", counters.RecyclingsFailed);
        json.WriteEndObject();
        json.WriteStartArray("slaves");
        foreach (byte[] slave in engines.SelectMany(engine => engine.Slaves))
        {
            json.WriteRawValue(slave, skipInputValidation: true);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTask(Utf8JsonWriter json, TaskView task)
    {
        json.WriteStartObject(task.Name);
        json.WriteString("type", task.Type);
        json.WriteStartArray("endpoints");
        foreach (string endpoint in task.Endpoints)
        {
            json.WriteStringValue(endpoint);
        }

        json.WriteEndArray();
        foreach ((string name, object value) in task.Facts)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value);
        }

        WriteTimes(json, "time-in-queue-s", task.InQueue.Snapshot(), task.Counts.FailedInQueue);
        WriteTimes(json, "time-on-slave-s", task.OnSlave.Snapshot(), task.Counts.FailedOnSlave);
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
