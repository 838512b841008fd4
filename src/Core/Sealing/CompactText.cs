using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// The parts of JOSE's compact texts, read strictly: each value has exactly one form, so that nobody can make another text of an opening
/// that means the same.
/// </summary>
internal static class CompactText
{
    private static readonly SearchValues<byte> Alphabet =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    /// <summary>Splits a text at its dots. False when the number of parts is another one, or a part is empty.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> text, Span<Range> parts)
    {
        int start = 0;
        for (int i = 0; i < parts.Length; i++)
        {
            int length = text[start..].IndexOf((byte)'.');
            bool isLast = i == parts.Length - 1;
            if ((length < 0) != isLast)
            {
                return false;
            }

            int end = isLast ? text.Length : start + length;
            if (end == start)
            {
                return false;
            }

            parts[i] = start..end;
            start = end + 1;
        }

        return true;
    }

    /// <summary>Decodes base64url without padding. Null for any other character, length, or bits after the last byte.</summary>
    public static byte[]? Decode(ReadOnlySpan<byte> text)
    {
        if (text.ContainsAnyExcept(Alphabet) || text.Length % 4 == 1)
        {
            return null;
        }

        byte[] bytes = new byte[text.Length * 3 / 4];
        if (Base64Url.DecodeFromUtf8(text, bytes, out int used, out int length) != OperationStatus.Done || used != text.Length)
        {
            return null;
        }

        // The last character can have bits that belong to no byte. Only zeros are taken there.
        Span<byte> again = stackalloc byte[4];
        int tail = length % 3;
        return length != bytes.Length || (tail > 0
            && !again[..Base64Url.EncodeToUtf8(bytes.AsSpan(length - tail), again)].SequenceEqual(text[^(tail + 1)..])) ? null : bytes;
    }

    /// <summary>
    /// Reads a flat JSON object that has exactly these members, each once; numbers are whole and not negative. Null for anything else.
    /// </summary>
    /// <param name="json">The text, without any byte after it.</param>
    /// <param name="names">The members, in any order.</param>
    /// <returns>The values in the order of <paramref name="names"/>: a string, or a long.</returns>
    public static object[]? ReadFlat(ReadOnlySpan<byte> json, params ReadOnlySpan<string> names)
    {
        object?[] values = new object?[names.Length];
        Utf8JsonReader reader = new(json, new JsonReaderOptions { MaxDepth = 1 });
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                int at = names.IndexOf(reader.GetString()!);
                if (at < 0 || values[at] is not null || !reader.Read())
                {
                    return null;
                }

                values[at] = reader.TokenType == JsonTokenType.String ? reader.GetString()
                    : reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long number) && number >= 0 ? number : null;
                if (values[at] is null)
                {
                    return null;
                }
            }

            return reader.TokenType == JsonTokenType.EndObject && !reader.Read() && !Array.Exists(values, value => value is null)
                ? [.. values.Select(value => value!)] : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return null; // InvalidOperationException: a string that is no UTF-8
        }
    }
}
