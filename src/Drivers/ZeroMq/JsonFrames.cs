using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.ZeroMq;

/// <summary>
/// Writes the JSON frames of ZeroMQ drivers. Each driver has one writer, and each frame is valid until the next. Lives on the loop.
/// </summary>
internal sealed class JsonFrames
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);
    private readonly Utf8JsonWriter _writer;

    // The text does not go into HTML: letters stay as they are.
    public JsonFrames() =>
        _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    /// <summary>
    /// <c>{"code", "message"}</c>, after <c>"uuid"</c> when there is one; then <c>"job"</c> and <c>"retry-after"</c> (s) when they are
    /// known. Clients of 2012 do not know the last two, and read the others by name.
    /// </summary>
    public ReadOnlySpan<byte> Error(ReadOnlySpan<byte> uuid, int code, ReadOnlySpan<byte> reason, in ErrorHeaders headers)
    {
        Begin(uuid);
        _writer.WriteNumber("code", code);
        _writer.WriteString("message", Encoding.UTF8.GetString(reason)); // also makes an app's error text valid UTF-8
        if (headers.JobId > 0)
        {
            _writer.WriteNumber("job", headers.JobId);
        }

        if (headers.RetryAfterS > 0)
        {
            _writer.WriteNumber("retry-after", headers.RetryAfterS);
        }

        return End();
    }

    /// <summary><c>{"uuid"}</c>, and <c>"completed": true</c> at the end.</summary>
    public ReadOnlySpan<byte> Answer(ReadOnlySpan<byte> uuid, bool isLast)
    {
        Begin(uuid);
        if (isLast)
        {
            _writer.WriteBoolean("completed", true);
        }

        return End();
    }

    private void Begin(ReadOnlySpan<byte> uuid)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        _writer.WriteStartObject();
        if (!uuid.IsEmpty)
        {
            _writer.WriteString("uuid", uuid);
        }
    }

    private ReadOnlySpan<byte> End()
    {
        _writer.WriteEndObject();
        _writer.Flush();
        return _buffer.WrittenSpan;
    }
}
