using System.Text;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>An entry of the log, on its way to standard error.</summary>
/// <param name="Time">When; UTC.</param>
/// <param name="Level">How much it matters.</param>
/// <param name="Category">Its source: the node, or an app's name.</param>
/// <param name="Id">The kind of event.</param>
/// <param name="Message">In words; may have text of apps and peers in it.</param>
/// <param name="Fields">The message's parts; empty when it has none.</param>
/// <param name="Failure">The exception; null when there is none.</param>
internal readonly record struct LogEntry(
    DateTime Time, LogLevel Level, string Category, EventId Id, string Message, IReadOnlyList<KeyValuePair<string, object?>> Fields,
    Exception? Failure)
{
    /// <summary>Its use of memory, about: its texts, and its own size.</summary>
    public long SizeBytes => OwnBytes + (2L * Message.Length) + (Failure is null ? 0 : FailureBytes);

    private const int OwnBytes = 400; // the entry, its fields and their values

    private const int FailureBytes = 4096; // a stack of usual depth as text
}

/// <summary>How entries look on standard error.</summary>
internal interface ILogFormat
{
    /// <summary>Appends an entry with the newline that ends it.</summary>
    void Append(StringBuilder to, in LogEntry entry);
}
