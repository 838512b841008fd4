using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Journal;

/// <summary>
/// The log of an app, or of the node itself, that also keeps its content: lines of workers, and everything else as events. So commands can
/// ask for everything that is logged.
/// </summary>
internal sealed class AppJournal(string app, ILogger log, Feed<NodeEvent> events) : ILogger
{
    /// <summary>The numbers of the two events that log a worker's output: ProcessLog in src/Backends.</summary>
    private const int OutputLine = 401, ErrorLine = 402;

    /// <summary>The most lines kept of an app: several screens, and the output of a crash. Their bytes are counted as UTF-16.</summary>
    private const int MaxLines = 1000;

    private const long MaxLineBytes = 2 << 20;

    /// <summary>The most events kept of a node.</summary>
    private const int MaxEvents = 1000;

    private const long MaxEventBytes = 2 << 20;

    /// <summary>Longest text of an event: a cause may contain all of a worker's last lines.</summary>
    private const int MaxText = 8192;

    /// <summary>The cost of an item beside its text.</summary>
    private const int ItemBytes = 200;

    /// <summary>The lines of the app's workers.</summary>
    public Feed<LogLine> Lines { get; } = new(
        MaxLines, MaxLineBytes, line => ItemBytes + (2L * line.Text.Length), (line, lost) => line with { Lost = lost });

    /// <summary>Makes the feed of a node's events.</summary>
    public static Feed<NodeEvent> CreateEvents() => new(
        MaxEvents, MaxEventBytes, one => ItemBytes + (4L * one.Text.Length), (one, lost) => one with { Lost = lost });

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information || log.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (log.IsEnabled(logLevel))
        {
            log.Log(logLevel, eventId, state, exception, formatter);
        }

        if (logLevel < LogLevel.Information)
        {
            return;
        }

        IReadOnlyList<KeyValuePair<string, object?>> values = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
        if (eventId.Id is OutputLine or ErrorLine)
        {
            Lines.Add(new LogLine(
                DateTimeOffset.UtcNow, app, TextOf(values, "Slave"), eventId.Id == ErrorLine, TextOf(values, "Line")));
        }
        else
        {
            string text = Shortened(exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception.Message}");
            string of = TextOf(values, "App");
            events.Add(new NodeEvent(DateTimeOffset.UtcNow, of.Length > 0 ? of : app, eventId.Id, NameOf(eventId.Name ?? "event"),
                NameOf(logLevel.ToString()), text, FieldsOf(values)));
        }
    }

    private static Dictionary<string, string> FieldsOf(IReadOnlyList<KeyValuePair<string, object?>> values)
    {
        Dictionary<string, string> fields = [];
        foreach ((string name, object? value) in values)
        {
            if (name is not ("{OriginalFormat}" or "App"))
            {
                fields[NameOf(name)] = Shortened(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "");
            }
        }

        return fields;
    }

    private static string TextOf(IReadOnlyList<KeyValuePair<string, object?>> values, string name)
    {
        foreach ((string key, object? value) in values)
        {
            if (key == name)
            {
                return Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
            }
        }

        return "";
    }

    private static string Shortened(string text) => text.Length <= MaxText ? text : text[..MaxText] + "…";

    /// <summary>The usual form of names: <c>RolledBack</c> becomes <c>rolled-back</c>.</summary>
    private static string NameOf(string name)
    {
        StringBuilder kebab = new(name.Length + 4);
        foreach (char letter in name)
        {
            if (char.IsAsciiLetterUpper(letter) && kebab.Length > 0)
            {
                kebab.Append('-');
            }

            kebab.Append(char.ToLowerInvariant(letter));
        }

        return kebab.ToString();
    }
}
