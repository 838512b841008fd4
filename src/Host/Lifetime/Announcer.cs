using System.Threading.Channels;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Lifetime;

/// <summary>
/// Prints a line on standard output when an app serves: for each endpoint, or for each task when it has no endpoints. Scripts wait for
/// these lines. An output that takes no lines (a full disk, a reader that has stopped) loses them, and never ends or holds up the node.
/// </summary>
internal sealed class Announcer : IAsyncDisposable
{
    /// <summary>The most lines that wait for standard output: the lines of some hundred apps at a start.</summary>
    private const int MaxWaitingLines = 1024;

    /// <summary>How long the end waits for the last lines.</summary>
    private static readonly TimeSpan LastLines = TimeSpan.FromSeconds(1);

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(new BoundedChannelOptions(MaxWaitingLines)
    {
        AllowSynchronousContinuations = true, // the writer is a waiting thread: it is woken directly, not through the thread pool
    });
    private readonly ILogger _log;
    private readonly Task _writer;
    private long _lost; // lines that were lost; the first is logged at once, the sum at the end

    public Announcer(ILogger log)
    {
        _log = log;
        _writer = Task.Factory.StartNew(WriteAll, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Announces an app when its first slave is ready, or when it is broken.</summary>
    public void Follow(RunningApp app) => _ = AnnounceAsync(app); // the method throws nothing

    /// <summary>Writes the waiting lines, and ends.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await Task.WhenAny(_writer, Task.Delay(LastLines, NodeClock.Instance));
        if (Interlocked.Read(ref _lost) is > 0 and long lost)
        {
            AnnouncerLog.Lost(_log, lost);
        }
    }

    private async Task AnnounceAsync(RunningApp app)
    {
        string word = "ready";
        try
        {
            await app.Ready;
        }
        catch (NodeException)
        {
            word = "broken"; // the log has the cause
        }
        catch (Exception fault) when (fault is not OutOfMemoryException)
        {
            AnnouncerLog.Fault(_log, fault, app.Name);
            return;
        }

        foreach (TaskEndpoint endpoint in app.Endpoints)
        {
            Add($"{word} app={app.Name} task={endpoint.Task} endpoint={endpoint.Endpoint}");
        }

        if (app.Endpoints.Count == 0)
        {
            foreach (TaskManifest task in app.Manifest.Tasks)
            {
                Add($"{word} app={app.Name} task={task.Name}");
            }
        }

        foreach (string endpoint in app.PubsubEndpoints)
        {
            Add($"{word} app={app.Name} pubsub={endpoint}");
        }
    }

    private void Add(string line)
    {
        if (!_lines.Writer.TryWrite(line))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    private void WriteAll()
    {
        while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_lines.Reader.TryRead(out string? line))
            {
                try
                {
                    Console.Out.WriteLine(line);
                }
                catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or ObjectDisposedException)
                {
                    if (Interlocked.Increment(ref _lost) == 1)
                    {
                        AnnouncerLog.CannotWrite(_log, failure.Message);
                    }
                }
            }
        }
    }
}

internal static partial class AnnouncerLog
{
    [LoggerMessage(620, LogLevel.Warning,
        "standard output takes no lines: {Reason}. The lines that tell which app is ready are lost; the node goes on")]
    public static partial void CannotWrite(ILogger log, string reason);

    [LoggerMessage(621, LogLevel.Warning, "{Lost} lines for standard output were lost")]
    public static partial void Lost(ILogger log, long lost);

    [LoggerMessage(622, LogLevel.Error,
        "{App}: waiting for its first slave failed in a way that nobody expected. Please report this with the stack")]
    public static partial void Fault(ILogger log, Exception fault, string app);
}
