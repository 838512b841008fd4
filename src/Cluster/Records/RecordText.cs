using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cocaine.Fast.Cluster.Records;

/// <summary>The text of records, in the engine and on disks: JSON that people can read.</summary>
internal static class RecordText
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        MaxDepth = 8,
    };

    /// <summary>The text of a record, UTF-8.</summary>
    /// <param name="record">The record.</param>
    public static byte[] Write(AppRecord record) => JsonSerializer.SerializeToUtf8Bytes(record, Options);

    /// <summary>The record of a text; null when the text is none: nobody's record is worse than no record.</summary>
    /// <param name="text">The text, from the engine or a disk.</param>
    public static AppRecord? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            AppRecord? record = JsonSerializer.Deserialize<AppRecord>(text, Options);
            return record is { Generation: > 0, Step: >= 0, App.Length: > 0, Change.Length: > 0 } && IsWhole(record) ? record : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Whether a rollout has all its parts: a text may be anything, and a rollout without a way back is none.</summary>
    private static bool IsWhole(AppRecord record) =>
        record.Previous is null or { Manifest: not null, Path: not null }
        && (record.Rollout is not { } plan || (plan is { Go: not null, Done: not null }
            && (record.Previous is not null || plan.Stage is RolloutStage.Done or RolloutStage.RolledBack)));
}
