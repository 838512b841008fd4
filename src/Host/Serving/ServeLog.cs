using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Serving;

internal static partial class ServeLog
{
    [LoggerMessage(612, LogLevel.Information, "SIGHUP: reading {Config} and its manifests again")]
    public static partial void Reloading(ILogger log, string config);

    [LoggerMessage(613, LogLevel.Error, "the config has mistakes, and nothing was changed:\n{Problems}")]
    public static partial void ConfigIsWrong(ILogger log, string problems);

    [LoggerMessage(614, LogLevel.Error,
        "the reload failed in a way that nobody expected; the apps go on. Please report this with the stack")]
    public static partial void ReloadFault(ILogger log, Exception fault);
}
