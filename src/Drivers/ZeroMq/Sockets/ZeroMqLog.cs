using Cocaine.Fast.Core.Manifest;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

internal static partial class ZeroMqLog
{
    [LoggerMessage(330, LogLevel.Warning, "{Socket}: {Peer} was disconnected: {Problem} ({Total} refused so far)")]
    public static partial void Refused(ILogger log, string socket, string peer, string problem, long total);

    [LoggerMessage(331, LogLevel.Warning,
        "{App}/{Task}: a message that is not in this driver's framing was refused: {Problem} ({Total} so far)")]
    public static partial void Malformed(ILogger log, string app, string task, string problem, long total);

    [LoggerMessage(332, LogLevel.Warning,
        "{App}/{Task}: answers were dropped because their clients went away or do not read ({Total} so far): read faster, raise 'backlog'")]
    public static partial void AnswersDropped(ILogger log, string app, string task, long total);

    [LoggerMessage(333, LogLevel.Warning, "{App}/{Task}: {Count} messages were taken off the socket and not run before the stop")]
    public static partial void LeftOver(ILogger log, string app, string task, int count);

    [LoggerMessage(334, LogLevel.Warning,
        "{App}: a subscriber does not read as fast as results come: {Total} fields were dropped so far; publish less, or larger maps")]
    public static partial void FieldsDropped(ILogger log, string app, long total);

    [LoggerMessage(335, LogLevel.Warning,
        "{Socket}: no connection to {Endpoint}: {Problem} ({Total} attempts so far); the next one follows by itself")]
    public static partial void NotConnected(ILogger log, string socket, string endpoint, string problem, long total);

    [LoggerMessage(346, LogLevel.Warning, "{Socket}: {Endpoint} " + EndpointSyntax.OpenToOthers)]
    public static partial void OpenToOthers(ILogger log, string socket, string endpoint);

    [LoggerMessage(336, LogLevel.Warning, "control: {Total} answers were dropped so far, because who asked is gone or does not read")]
    public static partial void ControlAnswersDropped(ILogger log, long total);

    [LoggerMessage(337, LogLevel.Warning, "control: a message without an empty frame and a request after it was dropped ({Total} so far)")]
    public static partial void CorruptedControl(ILogger log, long total);

    [LoggerMessage(338, LogLevel.Error, "control: a request failed in a way that nobody expected. Please report this with the stack")]
    public static partial void ControlFault(ILogger log, Exception fault);

    [LoggerMessage(339, LogLevel.Warning,
        "control: a request has no answer after {Seconds} s; its sender was told so, and it may still be carried out")]
    public static partial void ControlLate(ILogger log, long seconds);
}
