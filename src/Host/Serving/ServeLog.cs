using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Serving;

internal static partial class ServeLog
{
    [LoggerMessage(610, LogLevel.Warning, "systemd could not be told {Key}: {Reason}; it may think that the node does not come up or is dead")]
    public static partial void NotifyFailed(ILogger log, string key, string reason);

    [LoggerMessage(611, LogLevel.Error,
        "an event loop has not come round for {Seconds} s: a handler on it is stuck; systemd's watchdog ends the node unless it goes on")]
    public static partial void LoopStuck(ILogger log, double seconds);

    [LoggerMessage(612, LogLevel.Information, "SIGHUP: reading {Config} and its manifests again")]
    public static partial void Reloading(ILogger log, string config);

    [LoggerMessage(613, LogLevel.Error, "the config has mistakes, and nothing was changed:\n{Problems}")]
    public static partial void ConfigIsWrong(ILogger log, string problems);

    [LoggerMessage(614, LogLevel.Error, "the reload failed in a way that nobody expected; the apps go on. Please report this with the stack")]
    public static partial void ReloadFault(ILogger log, Exception fault);
}
