using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Cluster.Peers;

internal static partial class PeerLog
{
    [LoggerMessage(650, LogLevel.Information, "{App}: jobs may go to node {Node} ({Links} links)")]
    public static partial void Linked(ILogger log, string app, string node, int links);

    [LoggerMessage(651, LogLevel.Warning, "{App}: the link to node {Node} ended with {Jobs} jobs on it: {Reason}")]
    public static partial void Lost(ILogger log, string app, string node, int jobs, string reason);

    [LoggerMessage(652, LogLevel.Warning,
        "{App}: no link to node {Node} at {Address}: {Problem} ({Total} attempts); jobs wait here instead. Is its peer port open?")]
    public static partial void NotLinked(ILogger log, string app, string node, string address, string problem, long total);

    [LoggerMessage(653, LogLevel.Warning,
        "{Peer} was turned away at the peer port: {Problem} ({Total} so far); only nodes of this cluster should reach the port")]
    public static partial void TurnedAway(ILogger log, string peer, string problem, long total);

    [LoggerMessage(654, LogLevel.Information, "{App}: node {Node} may send jobs ({Sessions} nodes)")]
    public static partial void Joined(ILogger log, string app, string node, int sessions);

    [LoggerMessage(656, LogLevel.Warning,
        "{App}: node {Node} has held an answer for too long and gets no more of it: its caller does not read")]
    public static partial void Held(ILogger log, string app, string node);

    [LoggerMessage(655, LogLevel.Warning, "{App}: node {Node} broke the protocol of links between nodes and was disconnected: {Problem}")]
    public static partial void Broken(ILogger log, string app, string node, string problem);
}
