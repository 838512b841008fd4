using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

internal static partial class ControlLog
{
    [LoggerMessage(530, LogLevel.Warning,
        "control: process {Process} of user {User} was refused: only root and the node's own user may control it")]
    public static partial void Refused(ILogger log, int process, uint user);

    [LoggerMessage(531, LogLevel.Warning,
        "control: a connection was refused: there are {Max} already ({Total} refused so far); end some watchers")]
    public static partial void TooMany(ILogger log, int max, long total);

    [LoggerMessage(589, LogLevel.Warning,
        "control.tcp: a connection of {Peer} was refused: {Whose} {Max} already ({Total} refused so far); end some watchers")]
    public static partial void TooManyRemote(ILogger log, string peer, string whose, int max, long total);

    [LoggerMessage(532, LogLevel.Error, "control: {Method} failed in a way that nobody expected. Please report this with the stack")]
    public static partial void Fault(ILogger log, Exception fault, string method);

    [LoggerMessage(538, LogLevel.Warning,
        "control: the socket {Endpoint} was removed by somebody, and is made again. If a program cleans that folder up, except it there")]
    public static partial void Remade(ILogger log, string endpoint);

    [LoggerMessage(539, LogLevel.Warning,
        "control: the socket {Endpoint} was removed by somebody and cannot be made again: {Reason}. It is tried each minute and at SIGHUP")]
    public static partial void NotRemade(ILogger log, string endpoint, string reason);

    [LoggerMessage(588, LogLevel.Warning,
        "control: the mode of {Endpoint} stays what it was: {Problem}. Remove the socket's file: it is made anew within a minute")]
    public static partial void ModeStays(ILogger log, string endpoint, string problem);

    [LoggerMessage(533, LogLevel.Information, "control: {Method} {App}")]
    public static partial void Asked(ILogger log, string method, string app);
}
