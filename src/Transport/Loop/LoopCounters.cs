namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// What a loop asked of the kernel, since its start: the cost of a request is mostly its share of these. Written by the loop; others may
/// read.
/// </summary>
internal sealed class LoopCounters
{
    /// <summary>Turns, each with one epoll_wait at the least.</summary>
    public long Turns { get; set; }

    /// <summary>Receives from sockets.</summary>
    public long Receives { get; set; }

    /// <summary>Sends to sockets.</summary>
    public long Sends { get; set; }

    /// <summary>Doorbells of slaves that were rung.</summary>
    public long Bells { get; set; }
}
