using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>The text of a node's word about an app: JSON that people can read. A text of the engine may be anything.</summary>
internal static class StatusText
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        RespectRequiredConstructorParameters = true,
        MaxDepth = 4,
    };

    /// <summary>The key of the word of a node about an app: no uuid has a dot.</summary>
    /// <param name="node">The uuid of the node.</param>
    /// <param name="app">The app.</param>
    public static string KeyOf(string node, string app) => $"{node}.{app}";

    /// <summary>The text, UTF-8.</summary>
    /// <param name="status">The word.</param>
    public static byte[] Write(AppStatus status) => JsonSerializer.SerializeToUtf8Bytes(status, Options);

    /// <summary>The word of a text; null when the text is none.</summary>
    /// <param name="text">The text.</param>
    public static AppStatus? Read(ReadOnlySpan<byte> text)
    {
        try
        {
            AppStatus? status = text.IsEmpty ? null : JsonSerializer.Deserialize<AppStatus>(text, Options);
            return status is { Done: >= 0, Failed: >= 0, FailedBeforePercent: >= 0 and <= 100 }
                && Math.Max(status.Done, status.Failed) < long.MaxValue / 2
                && status.Reason is null or { Length: <= AppStatus.LongestReason } ? status : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
