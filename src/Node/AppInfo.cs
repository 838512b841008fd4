using System.Text.Json;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node;

/// <summary>An app's state as one JSON object: what <c>info</c> shows.</summary>
internal static class AppInfo
{
    public static void Write(
        Utf8JsonWriter json, AppManifest manifest, AppEngine engine, IEnumerable<(TaskManifest Task, Driver Driver)> tasks,
        ZeroMqPublisher? publisher, EventLoop loop)
    {
        SlavePool pool = engine.Pool;
        long nowMs = loop.NowMs;
        Job? oldest = engine.Queue.Oldest;
        json.WriteStartObject();
        json.WriteString("app", manifest.Name);
        json.WriteNumber("version", manifest.Version);
        json.WriteString("state", pool.IsBroken ? "broken" : engine.State.ToString().ToLowerInvariant());
        if (pool.IsBroken)
        {
            json.WriteString("cause", pool.LastFailure);
        }

        json.WriteStartObject("queue");
        json.WriteNumber("depth", engine.Queue.Count);
        json.WriteNumber("limit", manifest.Engine.QueueLimit);
        json.WriteNumber("bytes", engine.Queue.SizeBytes);
        json.WriteNumber("bytes-limit", manifest.Engine.QueueBytes);
        json.WriteString("serves", engine.Queue.ServesNewest ? "newest" : "oldest");
        json.WriteNumber("overloads", engine.Counters.Overloads);
        json.WriteNumber("oldest-age-ms", oldest is null ? 0 : Math.Max(0, nowMs - (oldest.ArrivedTicks / 1_000_000)));
        json.WriteEndObject();
        WriteJobs(json, engine);
        WritePool(json, manifest, engine, nowMs);
        json.WriteStartObject("tasks");
        foreach ((TaskManifest task, Driver driver) in tasks)
        {
            WriteTask(json, task, driver);
        }

        json.WriteEndObject();
        WritePubsub(json, publisher);
        WriteLoop(json, loop.Counters);
        WriteNode(json);
        json.WriteEndObject();
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

    /// <summary>What the app's loop asked of the kernel; other apps may be on the same loop.</summary>
    private static void WriteLoop(Utf8JsonWriter json, LoopCounters counters)
    {
        json.WriteStartObject("loop");
        json.WriteNumber("turns", counters.Turns);
        json.WriteNumber("receives", counters.Receives);
        json.WriteNumber("sends", counters.Sends);
        json.WriteNumber("bells", counters.Bells);
        json.WriteEndObject();
    }

    /// <summary>The process that the app shares with others: its memory tells whether requests make garbage.</summary>
    private static void WriteNode(Utf8JsonWriter json)
    {
        json.WriteStartObject("node");
        json.WriteNumber("pid", Environment.ProcessId);
        json.WriteNumber("rss-bytes", Environment.WorkingSet);
        json.WriteNumber("cpu-s", Environment.CpuUsage.TotalTime.TotalSeconds);
        json.WriteNumber("allocated-bytes", GC.GetTotalAllocatedBytes(precise: true)); // else in steps of 8 KiB
        json.WriteStartArray("collections");
        for (int generation = 0; generation <= GC.MaxGeneration; generation++)
        {
            json.WriteNumberValue(GC.CollectionCount(generation));
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteJobs(Utf8JsonWriter json, AppEngine engine)
    {
        EngineCounters counters = engine.Counters;
        json.WriteStartObject("jobs");
        json.WriteNumber("accepted", counters.JobsAccepted);
        json.WriteNumber("done", counters.JobsDone);
        json.WriteNumber("failed", counters.JobsFailed);
        json.WriteNumber("queued", engine.Queue.Count);
        json.WriteNumber("running", engine.RunningJobs);
        json.WriteNumber("rejected", counters.JobsRejected);
        json.WriteNumber("retried", counters.JobsRetried);
        json.WriteNumber("cancelled", counters.JobsCancelled);
        json.WriteNumber("client-gone", counters.ClientsGone);
        json.WriteNumber("quarantined", counters.JobsQuarantined);
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
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void WritePool(Utf8JsonWriter json, AppManifest manifest, AppEngine engine, long nowMs)
    {
        SlavePool pool = engine.Pool;
        json.WriteStartObject("pool");
        json.WriteNumber("limit", manifest.Engine.PoolLimit);
        json.WriteNumber("minimum", manifest.Engine.PoolMinimum);
        json.WriteNumber("total", pool.Total);
        json.WriteNumber("starting", pool.Starting);
        json.WriteNumber("idle", pool.Idle);
        json.WriteNumber("busy", pool.Busy);
        json.WriteStartObject("recycled");
        json.WriteNumber("max-jobs", engine.Counters.RecycledForJobs);
        json.WriteNumber("max-age", engine.Counters.RecycledForAge);
        json.WriteNumber("max-rss", engine.Counters.RecycledForMemory);
        json.WriteNumber("failed", engine.Counters.RecyclingsFailed);
        json.WriteEndObject();
        json.WriteStartArray("slaves");
        foreach (Slave slave in pool.Slaves)
        {
            json.WriteStartObject();
            json.WriteString("id", slave.ShortId);
            json.WriteString("state", slave.State.ToString().ToLowerInvariant());
            json.WriteString("pipe", slave.Link.Kind);
            json.WriteNumber("pid", slave.Link.ProcessId);
            json.WriteNumber("load", slave.Load);
            json.WriteNumber("jobs-done", slave.JobsDone);
            json.WriteNumber("age-ms", nowMs - slave.StartedMs);
            if (slave.RssBytes > 0)
            {
                json.WriteNumber("rss-bytes", slave.RssBytes);
            }

            json.WriteNumber("silent-ms", Math.Max(0, nowMs - slave.LastHeardMs));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
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

        WriteTimes(json, "time-in-queue-s", driver.Monitor.TimeInQueue.Snapshot());
        WriteTimes(json, "time-on-slave-s", driver.Monitor.TimeOnSlave.Snapshot());
        json.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter json, string name, LatencySnapshot times)
    {
        json.WriteStartObject(name);
        json.WriteNumber("p50", times.P50 / 1e9);
        json.WriteNumber("p99", times.P99 / 1e9);
        json.WriteNumber("p999", times.P999 / 1e9);
        json.WriteNumber("max", times.Max / 1e9);
        json.WriteNumber("count", times.Count);
        json.WriteEndObject();
    }
}
