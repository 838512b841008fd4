using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Core.MessagePack;

/// <summary>A JSON text as one MessagePack value. Whole numbers become integers, all others doubles of 64 bits.</summary>
internal static class JsonToMsgPack
{
    /// <summary>The value's bytes.</summary>
    /// <param name="json">The text; it is the program's own, and has no mistakes.</param>
    /// <param name="modern">The value may have str8, which old peers do not understand.</param>
    public static byte[] Convert(string json, bool modern)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        ArrayBufferWriter<byte> output = new(json.Length + MsgPackEncoder.MaxHeadBytes);
        Write(output, document.RootElement, modern);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(ArrayBufferWriter<byte> output, JsonElement value, bool modern)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                WriteHead(output, (uint)value.GetPropertyCount(), MsgPackEncoder.WriteMapHead);
                foreach (JsonProperty member in value.EnumerateObject())
                {
                    WriteString(output, member.Name, modern);
                    Write(output, member.Value, modern);
                }

                break;
            case JsonValueKind.Array:
                WriteHead(output, (uint)value.GetArrayLength(), MsgPackEncoder.WriteArrayHead);
                foreach (JsonElement item in value.EnumerateArray())
                {
                    Write(output, item, modern);
                }

                break;
            case JsonValueKind.String:
                WriteString(output, value.GetString()!, modern);
                break;
            default:
                output.Advance(WriteScalar(output.GetSpan(MsgPackEncoder.MaxHeadBytes), value));
                break;
        }
    }

    private static int WriteScalar(Span<byte> to, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetInt64(out long number) => MsgPackEncoder.WriteSigned(to, number),
        JsonValueKind.Number when value.TryGetUInt64(out ulong number) => MsgPackEncoder.WriteUnsigned(to, number),
        JsonValueKind.Number => MsgPackEncoder.WriteDouble(to, value.GetDouble()),
        JsonValueKind.Null => MsgPackEncoder.WriteNil(to),
        _ => MsgPackEncoder.WriteBoolean(to, value.GetBoolean()),
    };

    private static void WriteString(ArrayBufferWriter<byte> output, string text, bool modern)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        output.Advance(MsgPackEncoder.WriteStringHead(output.GetSpan(MsgPackEncoder.MaxHeadBytes), (uint)length, modern));
        output.Advance(Encoding.UTF8.GetBytes(text, output.GetSpan(length)));
    }

    private static void WriteHead(ArrayBufferWriter<byte> output, uint count, Head head) =>
        output.Advance(head(output.GetSpan(MsgPackEncoder.MaxHeadBytes), count));

    private delegate int Head(Span<byte> to, uint count);
}
