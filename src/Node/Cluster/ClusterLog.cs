using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

internal static partial class ClusterLog
{
    [LoggerMessage(630, LogLevel.Information, "node {Node} is in cluster {Cluster} at {Engine}, with {Nodes} nodes")]
    public static partial void Attached(ILogger log, string node, string cluster, string engine, int nodes);

    [LoggerMessage(631, LogLevel.Warning,
        "the cluster's engine cannot be reached: {Reason}. The apps go on; nothing of the cluster changes until it is back")]
    public static partial void Detached(ILogger log, string reason);

    [LoggerMessage(632, LogLevel.Warning, "the node is not in its cluster, and serves alone: {Reason}")]
    public static partial void StaysOut(ILogger log, string reason);

    [LoggerMessage(633, LogLevel.Information, "node {Node} joined the cluster, or is up again")]
    public static partial void NodeUp(ILogger log, string node);

    [LoggerMessage(634, LogLevel.Warning, "node {Node} is down, or was removed: nothing was heard of it")]
    public static partial void NodeDown(ILogger log, string node);

    [LoggerMessage(635, LogLevel.Error,
        "the node's part in the cluster failed in a way that nobody expected, and starts anew; the apps go on. Please report this with the "
        + "stack")]
    public static partial void Fault(ILogger log, Exception fault);

    [LoggerMessage(670, LogLevel.Error,
        "the peer port {Endpoint} cannot be used: {Problem}. Jobs stay on the node that their callers know; set 'cluster.listen' to "
        + "another one, or 'cluster.forward' to false")]
    public static partial void NoPeerPort(ILogger log, string endpoint, string problem);

    [LoggerMessage(636, LogLevel.Warning,
        "the record of app {App} in the cluster was lost by its engine, and was put back from this node")]
    public static partial void PutBack(ILogger log, string app);

    [LoggerMessage(626, LogLevel.Warning,
        "the cluster knows nothing of app {App}, and this node was away for more than a week: the app goes on here alone. 'app delete' "
        + "ends it, 'app replace --force' gives it to the cluster")]
    public static partial void HeldHere(ILogger log, string app);

    [LoggerMessage(637, LogLevel.Warning,
        "the cluster has another record of app {App} than this node, whose record is kept in {File}: look whether something of it is "
        + "missed")]
    public static partial void Conflict(ILogger log, string app, string file);

    [LoggerMessage(638, LogLevel.Error, "records of the cluster cannot be kept: {Reason}. The next attempt is in 10 s")]
    public static partial void RecordsFailed(ILogger log, string reason);

    [LoggerMessage(680, LogLevel.Information,
        "this node makes the jobs of app {App} that come from one node: it has the lease, term {Term}")]
    public static partial void LeaseTaken(ILogger log, string app, long term);

    [LoggerMessage(681, LogLevel.Warning,
        "this node has lost the lease of app {App}, which {Holder} has now: look at the way to the cluster's engine, and whether this node "
        + "stood still")]
    public static partial void LeaseLost(ILogger log, string app, string holder);

    [LoggerMessage(682, LogLevel.Information, "this node has given the lease of app {App} up")]
    public static partial void LeaseGivenUp(ILogger log, string app);

    [LoggerMessage(683, LogLevel.Information, "node {Node} {What}: 'cluster drain' or 'undrain' was asked here")]
    public static partial void Drains(ILogger log, string node, string what);

    [LoggerMessage(700, LogLevel.Information,
        "this node {What} the one that moves the cluster's rollouts: the lease 'coordinator', term {Term}")]
    public static partial void Coordinates(ILogger log, string what, long term);

    [LoggerMessage(701, LogLevel.Information, "rollout of app {App} from version {From} to {To}: {What}")]
    public static partial void Moved(ILogger log, string app, int from, int to, string what);

    [LoggerMessage(702, LogLevel.Warning,
        "rollout of app {App} from version {From} to {To} failed, and {What}: {Reason}. Mend the version, and replace with a higher one")]
    public static partial void RolloutFailed(ILogger log, string app, int from, int to, string what, string reason);

    [LoggerMessage(689, LogLevel.Warning,
        "the packed code of the cluster's apps cannot be kept in order: {Reason}. The next attempt is within minutes")]
    public static partial void CodeFailed(ILogger log, string reason);

    [LoggerMessage(639, LogLevel.Warning, "{File} is no record of an app: look at it, and remove it")]
    public static partial void BrokenRecord(ILogger log, string file);
}
