using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Commands.Tunnels;

/// <summary>The log of a tunnel. Lines about connections come for the 1st, 2nd, 4th, 8th … one.</summary>
internal static partial class TunnelLog
{
    [LoggerMessage(640, LogLevel.Warning, "{Reason}; a caller was let go ({Count} so far)")]
    public static partial void NotConnected(ILogger log, string reason, long count);

    [LoggerMessage(641, LogLevel.Warning, "a connection was cut: {Reason} ({Count} so far)")]
    public static partial void Cut(ILogger log, string reason, long count);

    [LoggerMessage(642, LogLevel.Warning,
        "a caller was let go: {Most} connections are open already ({Count} so far); callers that keep one connection each need fewer")]
    public static partial void Refused(ILogger log, int most, long count);

    [LoggerMessage(643, LogLevel.Warning, "{Reason}; the tunnel tries again for each caller")]
    public static partial void NotThere(ILogger log, string reason);

    [LoggerMessage(644, LogLevel.Warning,
        "'{Endpoint}' can be reached from other hosts: everybody who reaches it calls with this tunnel's certificate, and without TLS; "
        + "listen on lo or on a Unix socket")]
    public static partial void OpenDoor(ILogger log, string endpoint);

    [LoggerMessage(645, LogLevel.Information,
        "stopped: {Accepted} connections, {Failed} without a server, {Cut} cut, {Refused} refused; {There} bytes there, {Back} bytes back")]
    public static partial void Stopped(ILogger log, long accepted, long failed, long cut, long refused, long there, long back);
}
