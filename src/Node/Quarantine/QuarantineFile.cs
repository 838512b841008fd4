using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Node.Quarantine;

/// <summary>
/// The bytes of a quarantined job: a JSON object for people, a line feed, and the chunks of the request one after the other. The JSON has
/// the lengths of the chunks.
/// </summary>
internal static class QuarantineFile
{
    /// <summary>A head that is nested deeper is broken, or not written by a node.</summary>
    private const int MaxDepth = 8;

    private const string SealedTo = "sealed-to";

    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the text is not put into HTML
    };

    private static readonly JsonWriterOptions Indented = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // the text is not put into HTML
    };

    /// <summary>Makes the bytes.</summary>
    public static byte[] Write(string id, string app, DateTimeOffset time, in QuarantinedJob job)
    {
        using MemoryStream bytes = new(1024 + job.Request.SizeBytes);
        using (Utf8JsonWriter json = new(bytes, Indented))
        {
            json.WriteStartObject();
            json.WriteString("id", id);
            json.WriteString("app", app);
            json.WriteString("time", time);
            json.WriteNumber("job", job.JobId);
            json.WriteString("task", job.Task);
            json.WriteString("event", Encoding.UTF8.GetString(job.Event));
            json.WriteStartObject("policy");
            json.WriteBoolean("urgent", job.Policy.Urgent);
            json.WriteNumber("timeout-ms", job.Policy.SilenceTimeoutMs);
            json.WriteNumber("deadline-ms", job.Policy.DeadlineMs);
            if (job.Policy.RetryLimit is { } retries)
            {
                json.WriteNumber("retry-limit", retries);
            }

            json.WriteEndObject();
            WriteDeaths(json, job.Deaths);
            json.WriteBoolean("whole", job.IsWhole);
            json.WriteBase64String("headers", job.Headers);
            json.WriteStartArray("chunk-bytes");
            foreach (Payload chunk in job.Request)
            {
                json.WriteNumberValue(chunk.Length);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        bytes.WriteByte((byte)'\n');
        foreach (Payload chunk in job.Request)
        {
            foreach (ReadOnlyMemory<byte> part in chunk.Sequence)
            {
                bytes.Write(part.Span);
            }

            bytes.Write(chunk.Sequence.IsEmpty ? chunk.Span : default);
        }

        return bytes.ToArray();
    }

    /// <summary>The bytes of a sealed job: the head without headers and with the names of the readers, then the sealed text.</summary>
    public static byte[] Sealed(StoredJob job, IReadOnlyList<string> readers, byte[] text)
    {
        JsonObject head = JsonNode.Parse(job.Head)!.AsObject();
        head["headers"] = "";
        head[SealedTo] = new JsonArray([.. readers.Select(name => (JsonNode)name)]);
        return [.. Encoding.UTF8.GetBytes(head.ToJsonString(Readable)), (byte)'\n', .. text];
    }

    /// <summary>Reads a job from its bytes.</summary>
    /// <exception cref="InvalidDataException">The bytes are no quarantined job, or not a whole one.</exception>
    public static StoredJob Read(byte[] bytes)
    {
        try
        {
            Utf8JsonReader reader = new(bytes, new JsonReaderOptions { MaxDepth = MaxDepth });
            using JsonDocument head = JsonDocument.ParseValue(ref reader);
            int headLength = (int)reader.BytesConsumed;
            JsonElement root = head.RootElement;
            int[] chunks = [.. root.GetProperty("chunk-bytes").EnumerateArray().Select(length => length.GetInt32())];
            string[] readers = root.TryGetProperty(SealedTo, out JsonElement names)
                ? [.. names.EnumerateArray().Select(name => name.GetString() ?? "")] : [];
            if (chunks.Any(length => length < 0)
                || (readers.Length == 0 && headLength + 1L + chunks.Sum(length => (long)length) != bytes.Length))
            {
                throw new InvalidDataException("its lengths and its size are not the same");
            }

            JsonElement policy = root.GetProperty("policy");
            return new StoredJob
            {
                Id = root.GetProperty("id").GetString() ?? "",
                App = root.GetProperty("app").GetString() ?? "",
                Time = root.GetProperty("time").GetDateTimeOffset(),
                Task = root.GetProperty("task").GetString() ?? "",
                Event = root.GetProperty("event").GetString() ?? "",
                Cause = root.GetProperty("slaves").EnumerateArray().LastOrDefault() is { ValueKind: JsonValueKind.Object } last
                    ? last.GetProperty("cause").GetString() ?? "" : "",
                Policy = new JobPolicy
                {
                    Urgent = policy.GetProperty("urgent").GetBoolean(),
                    SilenceTimeoutMs = policy.GetProperty("timeout-ms").GetInt64(),
                    DeadlineMs = policy.GetProperty("deadline-ms").GetInt64(),
                    RetryLimit = policy.TryGetProperty("retry-limit", out JsonElement retries) ? retries.GetInt32() : null,
                },
                IsWhole = root.GetProperty("whole").GetBoolean(),
                Headers = root.GetProperty("headers").GetBytesFromBase64(),
                ChunkBytes = chunks,
                SealedTo = readers,
                Head = Encoding.UTF8.GetString(bytes.AsSpan(0, headLength)),
                Payload = bytes.AsMemory(headLength + 1),
            };
        }
        catch (Exception wrong) when (wrong is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new InvalidDataException("it is not what was written: it was changed or damaged", wrong);
        }
    }

    /// <summary>Names sort by time.</summary>
    public static string IdOf(DateTimeOffset time, ulong job) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.UtcDateTime:yyyyMMdd'T'HHmmss'.'fff}-{job}");

    private static void WriteDeaths(Utf8JsonWriter json, IReadOnlyList<SlaveDeath> deaths)
    {
        json.WriteStartArray("slaves");
        foreach (SlaveDeath death in deaths)
        {
            json.WriteStartObject();
            json.WriteString("slave", death.SlaveId);
            json.WriteString("cause", death.Cause);
            json.WriteStartArray("last-lines");
            foreach (string line in death.LastLines)
            {
                json.WriteStringValue(line);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}

/// <summary>A quarantined job as it was read.</summary>
internal sealed record StoredJob
{
    public required string Id { get; init; }

    public required string App { get; init; }

    public required DateTimeOffset Time { get; init; }

    public required string Task { get; init; }

    public required string Event { get; init; }

    /// <summary>How the job's last slave died.</summary>
    public required string Cause { get; init; }

    public required JobPolicy Policy { get; init; }

    /// <summary>The whole request is there.</summary>
    public required bool IsWhole { get; init; }

    public required byte[] Headers { get; init; }

    public required int[] ChunkBytes { get; init; }

    /// <summary>The names of the keys that the job is sealed to: its payload is then the sealed text. Empty: it is not sealed.</summary>
    public IReadOnlyList<string> SealedTo { get; init; } = [];

    /// <summary>The JSON of the head.</summary>
    public required string Head { get; init; }

    /// <summary>The chunks, one after the other.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }
}
