namespace Cocaine.Fast.Node.Journal;

/// <summary>A log that loses lines rather than hold its writers up, and counts them.</summary>
internal interface ILogLosses
{
    /// <summary>Lines that were lost so far.</summary>
    long Lost { get; }
}
