using Cocaine.Fast.Core.Monitoring;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>How worn one slave is, and what has become of its replacement. The recycler's own, but for its limits.</summary>
internal sealed class SlaveWear(WearLimits limits)
{
    /// <summary>The limits of the slave's life before it is replaced.</summary>
    public WearLimits Limits { get; } = limits;

    /// <summary>Why the slave is to be replaced. Valid in Idle and Busy.</summary>
    public WearReason Reason { get; set; }

    /// <summary>A replacement is ready in the slave's place.</summary>
    public bool IsRelieved { get; set; }

    /// <summary>The slave's resident memory when it was looked at last, bytes; 0 without engine.max-rss.</summary>
    public long RssBytes { get; set; }

    /// <summary>When its memory was looked at last, ms.</summary>
    public long RssReadMs { get; set; }
}
