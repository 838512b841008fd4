using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node;

internal static partial class NodeLog
{
    [LoggerMessage(500, LogLevel.Warning, "stopping at once: {Reason}; jobs that are not done get 503")]
    public static partial void StopsNow(ILogger log, string reason);

    [LoggerMessage(501, LogLevel.Warning,
        "setpriv (util-linux) is not on this machine: workers notice the node's end by their socket only")]
    public static partial void NoDeathSignal(ILogger log);

    [LoggerMessage(502, LogLevel.Warning, "{App}: {Reason}; jobs that are not done get 503")]
    public static partial void DeletesNow(ILogger log, string app, string reason);

    [LoggerMessage(503, LogLevel.Information, "{App}: deleted")]
    public static partial void Deleted(ILogger log, string app);
}
