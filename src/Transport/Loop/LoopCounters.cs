namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The system calls of a loop since its start: the cost of a request is mostly its share of these. Written by the loop; others may
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

    /// <summary>How often the loop did not run for a while: the process was stopped, starved, or busy elsewhere.</summary>
    public long Stalls { get; set; }

    /// <summary>For how long it did not, in all, ns.</summary>
    public long StalledNs { get; set; }

    /// <summary>Doorbells of slaves that were rung.</summary>
    public long Bells { get; set; }
}
