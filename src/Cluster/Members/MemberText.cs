using System.Text.Json;

namespace Cocaine.Fast.Cluster.Members;

/// <summary>The text of members, heartbeats and identities: JSON for people. A text of the engine may be anything.</summary>
internal static class MemberText
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.KebabCaseLower,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        MaxDepth = 8,
    };

    /// <summary>The text, UTF-8.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="value">The value.</param>
    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Options);

    /// <summary>The value of a text; null when the text is none.</summary>
    /// <typeparam name="T">The kind.</typeparam>
    /// <param name="text">The text, from the engine or a disk.</param>
    public static T? Read<T>(ReadOnlySpan<byte> text)
        where T : class
    {
        try
        {
            return text.IsEmpty ? null : JsonSerializer.Deserialize<T>(text, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
