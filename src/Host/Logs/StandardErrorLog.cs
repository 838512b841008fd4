using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Journal;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>The log on standard error; standard output is for answers.</summary>
/// <param name="least">The least level that is logged, which may change.</param>
/// <param name="format">The form of the lines.</param>
/// <param name="audit">Gets the lines of the audit as well, whatever the level; null = nothing does.</param>
internal sealed class StandardErrorLog(LogSwitch least, ILogFormat format, Stream? audit = null) : ILoggerFactory, ILogLosses
{
    /// <summary>The source of the audit's lines.</summary>
    private const string AuditCategory = "audit";

    private readonly LogWriter _writer = new(StandardStreams.OpenErrors(), format);
    private readonly LogWriter? _audit = audit is null ? null : new LogWriter(audit, format);

    /// <inheritdoc/>
    public long Lost => _writer.Lost;

    public ILogger CreateLogger(string categoryName) =>
        new Category(_writer, least, categoryName, categoryName == AuditCategory ? _audit : null);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the program logs to standard error only");

    public void Dispose()
    {
        _writer.Dispose();
        _audit?.Dispose();
    }

    private sealed class Category(LogWriter writer, LogSwitch least, string name, LogWriter? second) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && (logLevel >= least.Level || second is not null);

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            string message = formatter(state, exception);
            IReadOnlyList<KeyValuePair<string, object?>> fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            LogEntry entry = new(DateTime.UtcNow, logLevel, name, eventId, message, fields, exception);
            second?.Add(in entry);
            if (logLevel >= least.Level)
            {
                writer.Add(in entry);
            }
        }
    }
}
