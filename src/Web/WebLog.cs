using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Web;

internal static partial class WebLog
{
    [LoggerMessage(770, LogLevel.Error, "web: a request failed in a way that nobody expected: report it")]
    public static partial void Fault(ILogger log, Exception fault);

    [LoggerMessage(771, LogLevel.Information, "web: metrics for readers on this host at {Endpoints}")]
    public static partial void Listens(ILogger log, string endpoints);
}
