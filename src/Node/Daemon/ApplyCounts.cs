namespace Cocaine.Fast.Node.Daemon;

/// <summary>The changes that were made when the apps were made to match.</summary>
internal sealed class ApplyCounts
{
    /// <summary>Apps that were started.</summary>
    public int Added { get; set; }

    /// <summary>Apps that were replaced.</summary>
    public int Changed { get; set; }

    /// <summary>Apps that were ended.</summary>
    public int Removed { get; set; }

    /// <summary>Apps that could not be started or replaced.</summary>
    public int Failed { get; set; }

    /// <summary>The reason of the last failure.</summary>
    public string? Reason { get; set; }
}
