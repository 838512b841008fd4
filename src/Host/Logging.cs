using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Cocaine.Fast.Host;

/// <summary>The log on standard error; standard output is for answers.</summary>
internal static class Logging
{
    /// <summary>
    /// Lines that may wait for standard error; more are dropped, and their number is told. A worker's line may be 16 KiB, twice that as
    /// text: 512 of the longest are 16 MB, and the heap takes several times of what waits. With half as many, bursts of short lines lose
    /// some.
    /// </summary>
    private const int MaxWaitingLines = 512;

    public static ILoggerFactory Create(LogLevel level, string format) => Create(new LogSwitch(level), format);

    /// <summary>A log whose level may change while it is written.</summary>
    public static ILoggerFactory Create(LogSwitch least, string format) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(LogLevel.Trace).AddFilter((_, _, level) => level >= least.Level);
        if (format == "json")
        {
            builder.AddJsonConsole(options =>
            {
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ";
            });
        }
        else
        {
            builder.AddSimpleConsole(options =>
            {
                options.SingleLine = true;
                options.UseUtcTimestamp = true;
                options.TimestampFormat = "HH:mm:ss.fff ";
            });
        }

        builder.AddConsole(options =>
        {
            options.LogToStandardErrorThreshold = LogLevel.Trace;
            options.MaxQueueLength = MaxWaitingLines;

            // Or whoever logs would wait for whoever reads: an event loop must not stop because a pager does.
            options.QueueFullMode = ConsoleLoggerQueueFullMode.DropWrite;
        });
    });
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

    [LoggerMessage(601, LogLevel.Information, "stopping: jobs may finish for {Seconds} s; a second signal stops at once")]
    public static partial void Stopping(ILogger log, double seconds);

    [LoggerMessage(602, LogLevel.Information, "stopped")]
    public static partial void Stopped(ILogger log);

    [LoggerMessage(603, LogLevel.Information, "serving: {Status}")]
    public static partial void Serving(ILogger log, string status);
}
