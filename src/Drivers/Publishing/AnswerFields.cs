using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cocaine.Fast.Core.MessagePack;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.Publishing;

/// <summary>One field of an answer: its name, and its value as text.</summary>
internal readonly record struct AnswerField(string Name, byte[] Text);

/// <summary>
/// Takes an answer apart: a JSON object or a MessagePack map into its fields. Booleans become true and false, numbers decimal; strings stay
/// as they are; objects and arrays become compact JSON.
/// </summary>
internal static class AnswerFields
{
    // The text does not go into HTML: letters stay as they are.
    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The fields, in their order; null when the chunk is neither of the two.</summary>
    public static List<AnswerField>? Of(ReadOnlySpan<byte> chunk)
    {
        if (MsgPackToken.TryRead(chunk, out MsgPackToken head) == MsgPackStatus.Ok && head.Kind == MsgPackKind.Map)
        {
            return OfMap(chunk, head);
        }

        ReadOnlySpan<byte> text = chunk.TrimStart(" \t\r\n"u8);
        return text.StartsWith("{"u8) ? OfObject(text.ToArray()) : null;
    }

    private static List<AnswerField>? OfObject(byte[] text)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(text);
            List<AnswerField> fields = [];
            foreach (JsonProperty property in document.RootElement.EnumerateObject())
            {
                fields.Add(new AnswerField(property.Name, TextOf(property.Value)));
            }

            return fields;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException) // the second: a string that is not UTF-8
        {
            return null;
        }
    }

    private static byte[] TextOf(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return Encoding.UTF8.GetBytes(value.GetString()!);
            case JsonValueKind.Object or JsonValueKind.Array:
                ArrayBufferWriter<byte> buffer = new();
                using (Utf8JsonWriter json = new(buffer, Compact))
                {
                    value.WriteTo(json);
                }

                return buffer.WrittenSpan.ToArray();
            default:
                return Encoding.UTF8.GetBytes(value.GetRawText()); // true, false, null, and numbers as the app wrote them
        }
    }

    private static List<AnswerField>? OfMap(ReadOnlySpan<byte> chunk, MsgPackToken map)
    {
        // The whole map is checked first, so that no field is published of bytes that turn out not to be a map.
        MessageCursor cursor = new(chunk, ProtocolLimits.Default);
        if (cursor.SkipValues(1, 0) != DecodeStatus.Ok || cursor.Position != chunk.Length)
        {
            return null;
        }

        List<AnswerField> fields = [];
        ReadOnlySpan<byte> rest = chunk[map.HeadBytes..];
        for (ulong i = 0; i < map.Bits; i++)
        {
            string name = Encoding.UTF8.GetString(TakeText(ref rest));
            fields.Add(new AnswerField(name, TakeText(ref rest)));
        }

        return fields;
    }

    private static byte[] TakeText(ref ReadOnlySpan<byte> rest)
    {
        _ = MsgPackToken.TryRead(rest, out MsgPackToken token);
        if (token.Kind is MsgPackKind.Array or MsgPackKind.Map)
        {
            ArrayBufferWriter<byte> buffer = new();
            using (Utf8JsonWriter json = new(buffer, Compact))
            {
                WriteJson(json, ref rest);
            }

            return buffer.WrittenSpan.ToArray();
        }

        rest = rest[token.HeadBytes..];
        ReadOnlySpan<byte> body = rest[..(int)token.BodyBytes];
        rest = rest[body.Length..];
        return token.Kind is MsgPackKind.String or MsgPackKind.Binary or MsgPackKind.Extension
            ? body.ToArray() : Encoding.UTF8.GetBytes(ScalarOf(token));
    }

    private static string ScalarOf(MsgPackToken token) => token.Kind switch
    {
        MsgPackKind.Nil => "null",
        MsgPackKind.Boolean => token.Bits != 0 ? "true" : "false",
        MsgPackKind.Unsigned => token.Bits.ToString(CultureInfo.InvariantCulture),
        MsgPackKind.Negative => ((long)token.Bits).ToString(CultureInfo.InvariantCulture),
        MsgPackKind.Float32 => ((float)token.AsDouble).ToString(CultureInfo.InvariantCulture),
        _ => token.AsDouble.ToString(CultureInfo.InvariantCulture),
    };

    /// <summary>Writes a value that was checked before; the check bounds its depth.</summary>
    private static void WriteJson(Utf8JsonWriter json, ref ReadOnlySpan<byte> rest)
    {
        _ = MsgPackToken.TryRead(rest, out MsgPackToken token);
        if (token.Kind == MsgPackKind.Array)
        {
            rest = rest[token.HeadBytes..];
            json.WriteStartArray();
            for (ulong i = 0; i < token.Bits; i++)
            {
                WriteJson(json, ref rest);
            }

            json.WriteEndArray();
        }
        else if (token.Kind == MsgPackKind.Map)
        {
            rest = rest[token.HeadBytes..];
            json.WriteStartObject();
            for (ulong i = 0; i < token.Bits; i++)
            {
                json.WritePropertyName(Encoding.UTF8.GetString(TakeText(ref rest)));
                WriteJson(json, ref rest);
            }

            json.WriteEndObject();
        }
        else
        {
            byte[] text = TakeText(ref rest);
            bool isFloat = token.Kind is MsgPackKind.Float32 or MsgPackKind.Float64;
            bool isNumber = token.IsInteger || (isFloat && double.IsFinite(token.AsDouble));
            if (isNumber || token.Kind is MsgPackKind.Nil or MsgPackKind.Boolean)
            {
                json.WriteRawValue(text);
            }
            else if (token.Kind == MsgPackKind.Extension || !System.Text.Unicode.Utf8.IsValid(text))
            {
                json.WriteBase64StringValue(text);
            }
            else
            {
                json.WriteStringValue(text);
            }
        }
    }
}
