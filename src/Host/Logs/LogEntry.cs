using System.Text;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>An entry of the log, on its way to standard error.</summary>
/// <param name="Time">The time, in UTC.</param>
/// <param name="Level">The importance.</param>
/// <param name="Category">The source: the node, or an app's name.</param>
/// <param name="Id">The kind of event.</param>
/// <param name="Message">The text; it may contain text of apps and peers.</param>
/// <param name="Fields">The message's parts; empty when it has none.</param>
/// <param name="Failure">The exception; null when there is none.</param>
internal readonly record struct LogEntry(
    DateTime Time, LogLevel Level, string Category, EventId Id, string Message, IReadOnlyList<KeyValuePair<string, object?>> Fields,
    Exception? Failure)
{
    /// <summary>The entry's approximate size in memory: its texts, and its own size.</summary>
    public long SizeBytes => OwnBytes + (2L * Message.Length) + (Failure is null ? 0 : FailureBytes);

    private const int OwnBytes = 400; // the entry, its fields and their values

    private const int FailureBytes = 4096; // a stack of usual depth as text
}

/// <summary>The form of entries on standard error.</summary>
internal interface ILogFormat
{
    /// <summary>Appends an entry with the newline that ends it.</summary>
    void Append(StringBuilder to, in LogEntry entry);
}
