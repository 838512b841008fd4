using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Quarantine;

internal static partial class QuarantineLog
{
    [LoggerMessage(570, LogLevel.Warning,
        "{App}: job {Id} ({Event}) killed each slave that ran it, the last one by {Cause}: it is in quarantine, in {Where}; "
        + "show it, replay it when the app is mended, or drop it")]
    public static partial void Kept(ILogger log, string app, string id, string @event, string cause, string where);

    [LoggerMessage(571, LogLevel.Error, "{App}: job {Id} killed each slave that ran it and is not kept in quarantine: {Reason}")]
    public static partial void NotKept(ILogger log, string app, string id, string reason);

    [LoggerMessage(572, LogLevel.Warning,
        "{App}: job {Id}, the oldest in quarantine, is forgotten: there is no room for more than {Jobs} jobs, {SizeBytes} bytes. "
        + "Drop or replay what is there")]
    public static partial void Dropped(ILogger log, string app, string id, int jobs, long sizeBytes);

    [LoggerMessage(573, LogLevel.Warning, "the quarantined job {Path} is left out: {Reason}. Look at it and remove it")]
    public static partial void Broken(ILogger log, string path, string reason);

    [LoggerMessage(574, LogLevel.Warning, "{App}: the file of the quarantined job {Id} cannot be removed: {Reason}. Remove it")]
    public static partial void CannotDelete(ILogger log, string app, string id, string reason);

    [LoggerMessage(575, LogLevel.Information, "{App}: the quarantined job {Id} is done, as job {Job}, and leaves the quarantine")]
    public static partial void Replayed(ILogger log, string app, string id, ulong job);

    [LoggerMessage(576, LogLevel.Error, "{Count} jobs were still on their way to the quarantine when the node ended, and may be lost")]
    public static partial void NotFlushed(ILogger log, int count);

    [LoggerMessage(577, LogLevel.Information,
        "jobs that kill slaves are kept in memory only: give the node a state folder to keep them over a restart")]
    public static partial void InMemory(ILogger log);
}
