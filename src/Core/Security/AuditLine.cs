using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Security;

/// <summary>A line of the audit: for people the entry as text, for programs each of its values by name.</summary>
internal sealed class AuditLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    private readonly List<KeyValuePair<string, object?>> _values;
    private readonly string _text;

    private AuditLine(string text, AuditEntry entry)
    {
        _text = text;
        _values =
        [
            new("who", entry.Caller), new("by", entry.Means), new("peer", entry.Peer), new("door", entry.Door),
            new("action", entry.Action), new("cause", entry.Cause), new("serial", entry.Serial), new("event", entry.Event),
        ];
        if (entry.App.Length > 0)
        {
            _values.Add(new("App", entry.App)); // the name by which the node's events find their app
        }
    }

    public int Count => _values.Count;

    public KeyValuePair<string, object?> this[int index] => _values[index];

    /// <summary>A caller was refused.</summary>
    public static void Denied(ILogger log, in AuditEntry entry) =>
        Write(log, LogLevel.Warning, new EventId(565, "Denied"), $"denied {entry.Text}", in entry);

    /// <summary>A caller did something that is always recorded.</summary>
    public static void Allowed(ILogger log, in AuditEntry entry) =>
        Write(log, LogLevel.Information, new EventId(566, "Allowed"), $"allowed {entry.Text}", in entry);

    /// <summary>The same entry came again and again.</summary>
    public static void Repeated(ILogger log, in AuditEntry entry, bool denied, long times, int seconds)
    {
        string text = string.Create(
            CultureInfo.InvariantCulture, $"{(denied ? "denied" : "allowed")} {entry.Text} times={times} within={seconds}s");
        Write(log, denied ? LogLevel.Warning : LogLevel.Information, new EventId(567, "Repeated"), text, in entry);
    }

    /// <summary>A connection was closed, because its caller is nobody any more.</summary>
    public static void Closed(ILogger log, in AuditEntry entry) =>
        Write(log, LogLevel.Warning, new EventId(568, "Closed"), $"closed {entry.Text}", in entry);

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _text;

    private static void Write(ILogger log, LogLevel level, EventId id, string text, in AuditEntry entry) =>
        log.Log(level, id, new AuditLine(text, entry), null, static (line, _) => line.ToString());
}

internal static partial class AuditLog
{
    [LoggerMessage(585, LogLevel.Information, "rules generation={Generation} identities={Identities} rules={Rules} security={State}")]
    public static partial void Reloaded(ILogger log, int generation, int identities, int rules, string state);

    [LoggerMessage(586, LogLevel.Warning, "{Count} further entries within {Seconds} s were of too many kinds to be told apart")]
    public static partial void Beyond(ILogger log, long count, int seconds);

    [LoggerMessage(587, LogLevel.Warning,
        "security.identities: this host has no user '{User}': nobody is that caller by it. Make the user, or take the name out")]
    public static partial void NoUser(ILogger log, string user);
}
