using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Journal;

internal static partial class NodeLog
{
    [LoggerMessage(500, LogLevel.Warning, "stopping at once: {Reason}; jobs that are not done get 503")]
    public static partial void StopsNow(ILogger log, string reason);

    [LoggerMessage(501, LogLevel.Warning, "{Lack}")]
    public static partial void LacksForKill(ILogger log, string lack);

    [LoggerMessage(502, LogLevel.Warning, "{App}: {Reason}; jobs that are not done get 503")]
    public static partial void DeletesNow(ILogger log, string app, string reason);

    [LoggerMessage(503, LogLevel.Information, "{App}: deleted")]
    public static partial void Deleted(ILogger log, string app);
}
