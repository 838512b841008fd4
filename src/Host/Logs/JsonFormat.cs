using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cocaine.Fast.Host.Logs;

/// <summary>
/// Lines for machines, each an object: <c>Timestamp</c>, <c>EventId</c>, <c>LogLevel</c>, <c>Category</c>, <c>Message</c>, <c>Exception</c>
/// when one was thrown, and <c>State</c> with the message's parts. Letters that would control a terminal are escaped.
/// </summary>
/// <param name="journal">The lines go to journald, which takes the level off their front.</param>
internal sealed class JsonFormat(bool journal) : ILogFormat
{
    private const string OriginalFormat = "{OriginalFormat}";

    // This encoder escapes everything except printable ASCII.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.Default, SkipValidation = true };

    private readonly ArrayBufferWriter<byte> _bytes = new();

    public void Append(StringBuilder to, in LogEntry entry)
    {
        if (journal)
        {
            to.Append(JournalStream.Prefix(entry.Level));
        }

        _bytes.ResetWrittenCount();
        using (Utf8JsonWriter json = new(_bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("Timestamp", entry.Time.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture));
            json.WriteNumber("EventId", entry.Id.Id);
            json.WriteString("LogLevel", entry.Level.ToString());
            json.WriteString("Category", entry.Category);
            json.WriteString("Message", entry.Message);
            if (entry.Failure is not null)
            {
                json.WriteString("Exception", entry.Failure.ToString());
            }

            if (entry.Fields.Count > 0)
            {
                json.WriteStartObject("State");
                foreach ((string name, object? value) in entry.Fields)
                {
                    if (name != OriginalFormat)
                    {
                        Write(json, name, value);
                    }
                }

                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        to.Append(Encoding.UTF8.GetString(_bytes.WrittenSpan)).Append('\n');
    }

    private static void Write(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(name);
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int or long or short or byte or uint or ushort or sbyte:
                json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                break;
            case ulong number:
                json.WriteNumber(name, number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, number);
                break;
            default:
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
