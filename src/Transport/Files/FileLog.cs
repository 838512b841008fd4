using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Transport.Files;

internal static partial class FileLog
{
    [LoggerMessage(120, LogLevel.Warning,
        "watching {Path}: the kernel lost events because they came faster than they were read; the whole tree is looked at again "
        + "({Total} times so far; fs.inotify.max_queued_events is the bound)")]
    public static partial void Overflow(ILogger log, string path, long total);

    [LoggerMessage(121, LogLevel.Warning,
        "watching {Path}: no more folders can be watched ({Watches} are): the others are looked at every {PollMs} ms; raise "
        + "fs.inotify.max_user_watches (now {Setting}; sysctl -w)")]
    public static partial void WatchLimit(ILogger log, string path, int watches, int pollMs, string setting);

    [LoggerMessage(122, LogLevel.Warning, "watching {Root}: the folder '{Folder}' cannot be read, and is looked at from time to time")]
    public static partial void Unreadable(ILogger log, string folder, string root);

    [LoggerMessage(123, LogLevel.Information, "watching {Path}: the path is now: {Kind}")]
    public static partial void RootChanged(ILogger log, string path, string kind);
}
