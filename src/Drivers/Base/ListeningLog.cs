using Cocaine.Fast.Core.Manifest;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The log of listening drivers.</summary>
internal static partial class ListeningLog
{
    [LoggerMessage(300, LogLevel.Warning,
        "{App}/{Task}: a connection was refused: there are {Max} already ({Total} refused so far)")]
    public static partial void TooMany(ILogger log, string app, string task, int max, long total);

    [LoggerMessage(303, LogLevel.Warning, "{App}/{Task}: the mode of {Endpoint} stays what it was: {Problem}")]
    public static partial void ModeStays(ILogger log, string app, string task, string endpoint, string problem);

    [LoggerMessage(307, LogLevel.Warning,
        "{App}/{Task}: a connection of {Peer} was refused: its address has {Max} already ({Total} refused so far); "
        + "when they are wanted, raise the task's 'connections'")]
    public static partial void TooManyOfOne(ILogger log, string app, string task, string peer, int max, long total);

    [LoggerMessage(308, LogLevel.Warning, "{App}/{Task}: {Endpoint} " + EndpointSyntax.OpenToOthers)]
    public static partial void OpenToOthers(ILogger log, string app, string task, string endpoint);

    [LoggerMessage(546, LogLevel.Warning,
        "{App}/{Task}: {Peer} was disconnected: its certificate {Serial} is refused by now: {Reason}")]
    public static partial void Revoked(ILogger log, string app, string task, string peer, string serial, string reason);

    [LoggerMessage(305, LogLevel.Warning, "{App}/{Task}: a call of {Peer} was refused: {Problem} ({Total} so far)")]
    public static partial void Refused(ILogger log, string app, string task, string peer, string problem, long total);

    [LoggerMessage(306, LogLevel.Warning, "{App}/{Task}: {Peer} was disconnected: {Problem} ({Total} so far)")]
    public static partial void Unfinished(ILogger log, string app, string task, string peer, string problem, long total);
}
