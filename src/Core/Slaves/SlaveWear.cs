using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>How worn one slave is, and the state of its replacement. Only the recycler changes it, except for the limits.</summary>
internal sealed class SlaveWear(WearLimits limits)
{
    /// <summary>The limits of the slave's life before it is replaced.</summary>
    public WearLimits Limits { get; } = limits;

    /// <summary>Why the slave is to be replaced. Valid in Idle and Busy.</summary>
    public WearReason Reason { get; set; }

    /// <summary>A replacement is ready in the slave's place.</summary>
    public bool IsRelieved { get; set; }

    /// <summary>The slave's resident memory at the last look, bytes; 0 without engine.max-rss.</summary>
    public long RssBytes { get; set; }

    /// <summary>The time of the last look at the slave's memory, ms.</summary>
    public long RssReadMs { get; set; }
}
