using Cocaine.Fast.Host.Terminal;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Logs;

/// <summary>The log on standard error; standard output is for answers.</summary>
/// <param name="least">The least level that is logged, which may change.</param>
/// <param name="format">The form of the lines.</param>
internal sealed class StandardErrorLog(LogSwitch least, ILogFormat format) : ILoggerFactory
{
    private readonly LogWriter _writer = new(StandardStreams.OpenErrors(), format);

    public ILogger CreateLogger(string categoryName) => new Category(_writer, least, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("the program logs to standard error only");

    public void Dispose() => _writer.Dispose();

    private sealed class Category(LogWriter writer, LogSwitch least, string name) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None && logLevel >= least.Level;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel))
            {
                return;
            }

            string message = formatter(state, exception);
            IReadOnlyList<KeyValuePair<string, object?>> fields = state as IReadOnlyList<KeyValuePair<string, object?>> ?? [];
            writer.Add(new LogEntry(DateTime.UtcNow, logLevel, name, eventId, message, fields, exception));
        }
    }
}
