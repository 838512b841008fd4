namespace Cocaine.Fast.Core.Jobs;

/// <summary>How the way to another node ended.</summary>
internal enum PeerEnd
{
    /// <summary>The node's kernel has closed the link: the node's process is gone, and its runs with it.</summary>
    Closed,

    /// <summary>Nothing is heard of the node. Its runs may go on.</summary>
    Silent,
}
