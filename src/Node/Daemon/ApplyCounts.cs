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

    /// <summary>Adds the changes of a part.</summary>
    /// <param name="part">The part.</param>
    public void Add(ApplyCounts part)
    {
        Added += part.Added;
        Changed += part.Changed;
        Removed += part.Removed;
        Failed += part.Failed;
        Reason = part.Reason ?? Reason;
    }
}
