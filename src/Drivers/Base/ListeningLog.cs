using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The log of listening drivers.</summary>
internal static partial class ListeningLog
{
    [LoggerMessage(300, LogLevel.Warning, "{App}/{Task}: a connection was refused: there are {Max} already")]
    public static partial void TooMany(ILogger log, string app, string task, int max);

    [LoggerMessage(303, LogLevel.Warning, "{App}/{Task}: the mode of {Endpoint} stays what it was: {Problem}")]
    public static partial void ModeStays(ILogger log, string app, string task, string endpoint, string problem);
}
