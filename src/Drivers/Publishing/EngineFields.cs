using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Drivers.Publishing;

/// <summary>The fields that the engines publish once a second.</summary>
internal static class EngineFields
{
    /// <summary>Calls back with each field: its task (null: the app), its name and its text.</summary>
    public static void Each(EngineSums sums, Action<string?, string, byte[]> publish)
    {
        publish(null, "queue-depth", Text(sums.QueueDepth));
        publish(null, "oldest-job-age", Encoding.UTF8.GetBytes((sums.OldestAgeMs / 1e3).ToString("F3", CultureInfo.InvariantCulture)));
        publish(null, "slaves-busy", Text(sums.SlavesBusy));
        publish(null, "slaves-total", Text(sums.SlavesTotal));
        publish(null, "jobs-done", Text(sums.JobsDone));
        publish(null, "jobs-failed", Text(sums.JobsFailed));
        foreach (TaskTimes task in sums.Tasks)
        {
            publish(task.Task, "time-in-queue", Times(task.InQueue));
            publish(task.Task, "time-on-slave", Times(task.OnSlave));
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
