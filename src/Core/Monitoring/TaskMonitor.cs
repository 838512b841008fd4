namespace Cocaine.Fast.Core.Monitoring;

/// <summary>What is measured of one task.</summary>
internal sealed class TaskMonitor(string name)
{
    public string Name { get; } = name;

    /// <summary>From arrival to the dispatch of the run that answered.</summary>
    public LatencyHistogram TimeInQueue { get; } = new();

    /// <summary>From dispatch to the terminal answer.</summary>
    public LatencyHistogram TimeOnSlave { get; } = new();

    public long Accepted { get; set; }

    public long Done { get; set; }

    public long Failed { get; set; }
}
