using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Terminal;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>
/// Lines for people: <c>2026-11-28 17:44:17.123Z warn: node[501] message</c>. An entry is one line; only an exception's stack continues it,
/// indented. So text of an app or a peer never looks like a line of the node.
/// </summary>
/// <param name="colours">A terminal shows the colours. The background does not change.</param>
/// <param name="journal">The lines go to journald, which records the time itself and reads the level from a prefix.</param>
internal sealed class TextFormat(bool colours, bool journal) : ILogFormat
{
    private const string Reset = "\u001b[0m", Faint = "\u001b[2m", Yellow = "\u001b[33m", Red = "\u001b[31m", BoldRed = "\u001b[1;31m";

    public void Append(StringBuilder to, in LogEntry entry)
    {
        if (journal)
        {
            to.Append(JournalStream.Prefix(entry.Level));
        }
        else
        {
            to.Append(CultureInfo.InvariantCulture, $"{entry.Time:yyyy-MM-dd HH:mm:ss.fff}Z ");
        }

        string colour = colours ? ColourOf(entry.Level) : "";
        to.Append(colour).Append(WordOf(entry.Level)).Append(colour.Length > 0 ? Reset : "");
        to.Append(CultureInfo.InvariantCulture, $": {PlainText.OneLine(entry.Category)}[{entry.Id.Id}] ");
        to.Append(PlainText.Lines(entry.Message.TrimEnd()).Replace("\n", " | ", StringComparison.Ordinal)).Append('\n');
        if (entry.Failure is not null)
        {
            string indent = journal ? JournalStream.Prefix(entry.Level) + "    " : "    ";
            string stack = PlainText.Lines(entry.Failure.ToString().TrimEnd());
            to.Append(indent).Append(stack.Replace("\n", "\n" + indent, StringComparison.Ordinal)).Append('\n');
        }
    }

    private static string WordOf(LogLevel level) => level switch
    {
        LogLevel.Trace => "trce",
        LogLevel.Debug => "dbug",
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "fail",
        _ => "crit",
    };

    private static string ColourOf(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => Faint,
        LogLevel.Information => "",
        LogLevel.Warning => Yellow,
        LogLevel.Error => Red,
        _ => BoldRed,
    };
}
