namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The categories and codes by which a node of Cocaine 0.12 tells its errors. Public balancers send a request to another node, or connect
/// again, when they know the pair, and give up when they do not.
/// </summary>
/// <remarks>
/// Source: the error categories of the node service, of its overseer and of its slaves in cocaine-plugins (v0.12). The reason and the
/// headers stay as they are.
/// </remarks>
internal static class PublicErrors
{
    private const int NodeCategory = 0x51ff, OverseerCategory = 0x52ff, SlaveCategory = 0x53ff;
    private const int DeadlineError = 1, NotRunning = 6; // of a node
    private const int QueueIsFull = 1;                   // of an overseer
    private const int HeartbeatTimeout = 8;              // of a slave

    /// <summary>The pair for a cause; null when no pair of a Cocaine node says the same.</summary>
    public static (int Category, int Code)? PairOf(ErrorCause cause) => cause switch
    {
        ErrorCause.QueueFull => (OverseerCategory, QueueIsFull),
        ErrorCause.NotRunning => (NodeCategory, NotRunning),
        ErrorCause.Deadline => (NodeCategory, DeadlineError),
        ErrorCause.Silence => (SlaveCategory, HeartbeatTimeout),
        _ => null,
    };
}
