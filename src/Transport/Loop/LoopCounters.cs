namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The system calls of a loop since its start: the cost of a request is mostly its share of them. The loop writes the counts; others may
/// read.
/// </summary>
internal sealed class LoopCounters
{
    /// <summary>Turns, each with at least one epoll_wait.</summary>
    public long Turns { get; set; }

    /// <summary>Receives from sockets.</summary>
    public long Receives { get; set; }

    /// <summary>Sends to sockets.</summary>
    public long Sends { get; set; }

    /// <summary>How often the loop did not run for a while: the process was stopped or starved, or the loop was busy.</summary>
    public long Stalls { get; set; }

    /// <summary>The sum of the times in which the loop did not run, ns.</summary>
    public long StalledNs { get; set; }

    /// <summary>Doorbells of slaves that the loop has rung.</summary>
    public long Bells { get; set; }

    /// <summary>A copy of the present counts.</summary>
    public LoopCounters Copy() => (LoopCounters)MemberwiseClone();
}
