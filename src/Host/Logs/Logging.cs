using Cocaine.Fast.Core.Configuration;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>The log of a node that is a program of its own.</summary>
internal static class Logging
{
    public static ILoggerFactory Create(LogLevel level, string format) => Create(new LogSwitch(level), format);

    /// <summary>A log whose level may change while it is written.</summary>
    /// <param name="least">The least level that is logged.</param>
    /// <param name="format"><c>text</c> or <c>json</c>.</param>
    /// <param name="auditFile">The file for the lines of the audit; null = none.</param>
    /// <exception cref="IOException">The file cannot be used.</exception>
    public static ILoggerFactory Create(LogSwitch least, string format, string? auditFile = null)
    {
        AuditFile? audit = auditFile is null ? null : new AuditFile(auditFile);
        bool journal = JournalStream.IsStandardError;
        return new StandardErrorLog(least, format == "json" ? new JsonFormat(journal) : new TextFormat(HasColours, journal), audit);
    }

    /// <summary>Colours are used in a terminal that shows them, unless the user has forbidden them: see no-color.org.</summary>
    private static bool HasColours => !Console.IsErrorRedirected && EnvironmentNames.Get(EnvironmentNames.Terminal) is not (null or "dumb")
        && EnvironmentNames.Get(EnvironmentNames.NoColours) is null;
}

/// <summary>The least level that is logged.</summary>
internal sealed class LogSwitch(LogLevel level)
{
    private volatile int _level = (int)level;

    public LogLevel Level
    {
        get => (LogLevel)_level;
        set => _level = (int)value;
    }
}

internal static partial class HostLog
{
    [LoggerMessage(600, LogLevel.Error, "cannot start: {Reason}")]
    public static partial void CannotStart(ILogger log, string reason);

    [LoggerMessage(601, LogLevel.Information, "stopping on {Signal}: jobs may finish for {Seconds} s; a second signal stops at once")]
    public static partial void Stopping(ILogger log, string signal, double seconds);

    [LoggerMessage(602, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger log);

    [LoggerMessage(603, LogLevel.Information, "serving: {Status}")]
    public static partial void Serving(ILogger log, string status);

    [LoggerMessage(604, LogLevel.Information, "control: {Endpoint}")]
    public static partial void Controlled(ILogger log, string endpoint);

    [LoggerMessage(605, LogLevel.Warning, "commands cannot reach this node: {Reason}. --control says where it listens, or none")]
    public static partial void NotControlled(ILogger log, string reason);
}
