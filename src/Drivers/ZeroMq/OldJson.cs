using System.Text.Json;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>Values of JSON as the reader of 2012, jsoncpp, converted them to other types.</summary>
internal static class OldJson
{
    /// <summary>A flag: null, 0, an empty text and an empty container are false, and all else is true. Skips the value.</summary>
    public static bool ReadBool(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject))
        {
            return reader.TokenType == JsonTokenType.True || (reader.TokenType == JsonTokenType.Number && reader.GetDouble() != 0)
                || (reader.TokenType == JsonTokenType.String && !reader.ValueSpan.IsEmpty);
        }

        Utf8JsonReader inner = reader;
        bool hasItems = inner.Read() && inner.TokenType is not (JsonTokenType.EndArray or JsonTokenType.EndObject);
        reader.Skip();
        return hasItems;
    }

    /// <summary>A number: null is 0, and a flag is 0 or 1. Texts and containers are no numbers.</summary>
    public static bool TryReadDouble(ref Utf8JsonReader reader, out double value)
    {
        value = reader.TokenType == JsonTokenType.Number ? reader.GetDouble() : reader.TokenType == JsonTokenType.True ? 1 : 0;
        return reader.TokenType is JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null;
    }
}
