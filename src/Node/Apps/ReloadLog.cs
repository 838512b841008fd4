using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Apps;

internal static partial class ReloadLog
{
    [LoggerMessage(510, LogLevel.Information,
        "{App}: version {Next} comes up beside version {Version}, with {Slaves} slaves")]
    public static partial void Begins(ILogger log, string app, int version, int next, int slaves);

    [LoggerMessage(511, LogLevel.Information,
        "{App}: version {Next} takes new jobs after {Milliseconds} ms; version {Version} finishes {Queued} queued and {Running} running. "
        + "Tasks: {Kept} go on, {Opened} opened, {Closed} end")]
    public static partial void Replaced(
        ILogger log, string app, int version, int next, long milliseconds, int queued, int running, int kept, int opened, int closed);

    [LoggerMessage(512, LogLevel.Error, "{App}: version {Next} did not come up, version {Version} goes on: {Reason}")]
    public static partial void RolledBack(ILogger log, string app, int version, int next, string reason);

    [LoggerMessage(513, LogLevel.Information, "{App}: version {Version} has finished its last job and is gone")]
    public static partial void Drained(ILogger log, string app, int version);

    [LoggerMessage(514, LogLevel.Error,
        "{App}/{Task}: the task takes nothing, because its new driver cannot open where the old one was: {Reason}. "
        + "Free the place and replace the app once more")]
    public static partial void LateOpenFailed(ILogger log, string app, string task, string reason);

    [LoggerMessage(515, LogLevel.Information, "{App}: paused: new jobs get 503, the others are finished")]
    public static partial void Paused(ILogger log, string app);

    [LoggerMessage(516, LogLevel.Information, "{App}: resumed")]
    public static partial void Resumed(ILogger log, string app);

    [LoggerMessage(517, LogLevel.Information, "{App}: the pool has {Minimum} to {Limit} slaves from now on")]
    public static partial void Scaled(ILogger log, string app, int minimum, int limit);

    [LoggerMessage(518, LogLevel.Information, "{App}: version {Version} started with {Tasks} tasks")]
    public static partial void Started(ILogger log, string app, int version, int tasks);

    [LoggerMessage(519, LogLevel.Information, "{App}: stops: takes no more jobs and finishes {Queued} queued and {Running} running")]
    public static partial void Stops(ILogger log, string app, int queued, int running);
}
