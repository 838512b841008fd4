using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Harness;

/// <summary>A log whose lines a test can look at.</summary>
internal sealed class LogLines : ILoggerFactory, ILogger
{
    /// <summary>A line that has not come by then does not come: a test that fails must not hang.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly List<(string Text, int Times, TaskCompletionSource Seen)> _waiting = [];

    public ConcurrentQueue<string> Lines { get; } = new();

    public string Text => string.Join('\n', Lines);

    /// <summary>Completes when so many lines have the text.</summary>
    public Task UntilAsync(string text, int times = 1) => SeenAsync(text, times).WaitAsync(Limit);

    private Task SeenAsync(string text, int times)
    {
        lock (_waiting)
        {
            TaskCompletionSource seen = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((text, times, seen));
            if (Count(text) >= times)
            {
                seen.TrySetResult();
            }

            return seen.Task;
        }
    }

    /// <summary>Lines that have the text.</summary>
    public int Count(string text) => Lines.Count(line => line.Contains(text));

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider)
    {
    }

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?,
        string> formatter)
    {
        string written = $"{logLevel} {formatter(state, exception)} {exception}";
        Lines.Enqueue(written);
        lock (_waiting)
        {
            _waiting.RemoveAll(wait => written.Contains(wait.Text) && Count(wait.Text) >= wait.Times
                && (wait.Seen.TrySetResult() || wait.Seen.Task.IsCompleted));
        }
    }
}
