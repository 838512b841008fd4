using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Core.Security;

/// <summary>Something that a caller did or was refused, for the audit.</summary>
/// <param name="Caller">The caller's name.</param>
/// <param name="Means">The means by which the caller is known.</param>
/// <param name="Peer">The address of the peer.</param>
/// <param name="Door">The door: an app and its task, <c>locator</c>, <c>control</c>.</param>
/// <param name="Action">The action: <c>call</c>, <c>locate</c>, a method of control.</param>
/// <param name="Cause">The reason: <c>rule=none</c> and the like; empty when there is none to give.</param>
internal readonly record struct AuditEntry(string Caller, string Means, string Peer, string Door, string Action, string Cause)
{
    /// <summary>The means of a caller without an identity.</summary>
    public const string NoMeans = "nothing";

    /// <summary>The cause of the end of a connection whose caller lost everything by other rules.</summary>
    public const string RulesChanged = "reason=rules-changed";

    /// <summary>The serial number of the caller's certificate; empty when there is none.</summary>
    public string Serial { get; init; } = "";

    /// <summary>The app that the entry is about; empty when there is none.</summary>
    public string App { get; init; } = "";

    /// <summary>The event that was called; empty when there is none.</summary>
    public string Event { get; init; } = "";

    /// <summary>The entry as <c>key=value</c>, on one line.</summary>
    public string Text
    {
        get
        {
            string text = $"who={Caller} by={Means}";
            text += Serial.Length > 0 ? $" serial={Serial}" : "";
            text += $" peer={Quoted(Peer)} door={Quoted(Door)} action={Action}";
            text += App.Length > 0 ? $" app={Quoted(App)}" : "";
            text += Event.Length > 0 ? $" event={Quoted(Event)}" : "";
            return Cause.Length > 0 ? $"{text} {Cause}" : text;
        }
    }

    /// <summary>A cause in words.</summary>
    /// <param name="text">The words; may come from outside.</param>
    public static string Reason(string text) => $"reason={Quoted(text)}";

    /// <summary>A value from outside stays one value: with spaces, quotes or equals signs it is in quotes.</summary>
    private static string Quoted(string text)
    {
        string shown = PlainText.OneLine(text);
        return shown.AsSpan().IndexOfAny(" \"=\\") < 0 ? shown
            : $"\"{shown.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }
}
