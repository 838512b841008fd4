using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Drivers.Publishing;

/// <summary>The fields that the engine publishes once a second.</summary>
internal static class EngineFields
{
    /// <summary>Calls back with each field: its task (null: the app), its name and its text.</summary>
    public static void Each(AppEngine engine, IEnumerable<TaskMonitor> tasks, Action<string?, string, byte[]> publish)
    {
        Job? oldest = engine.Queue.Oldest;
        double age = oldest is null ? 0 : Math.Max(0, engine.Loop.NowNs - oldest.ArrivedNs) / 1e9;
        publish(null, "queue-depth", Text(engine.Queue.Count));
        publish(null, "oldest-job-age", Encoding.UTF8.GetBytes(age.ToString("F3", CultureInfo.InvariantCulture)));
        publish(null, "slaves-busy", Text(engine.Pool.Roster.Busy));
        publish(null, "slaves-total", Text(engine.Pool.Roster.Total));
        publish(null, "jobs-done", Text((long)engine.Counters.JobsDone));
        publish(null, "jobs-failed", Text((long)engine.Counters.JobsFailed));
        foreach (TaskMonitor task in tasks)
        {
            publish(task.Name, "time-in-queue", Times(task.TimeInQueue.Snapshot()));
            publish(task.Name, "time-on-slave", Times(task.TimeOnSlave.Snapshot()));
        }
    }

    private static byte[] Text(long number) => Encoding.UTF8.GetBytes(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Times as text, in seconds.</summary>
    private static byte[] Times(LatencySnapshot times)
    {
        ArrayBufferWriter<byte> buffer = new(128);
        using (Utf8JsonWriter json = new(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("p50", times.P50 / 1e9);
            json.WriteNumber("p99", times.P99 / 1e9);
            json.WriteNumber("p999", times.P999 / 1e9);
            json.WriteNumber("max", times.Max / 1e9);
            json.WriteNumber("count", times.Count);
            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
