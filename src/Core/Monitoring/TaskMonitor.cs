namespace Cocaine.Fast.Core.Monitoring;

/// <summary>What is measured of one task.</summary>
/// <param name="name">The task's name.</param>
/// <param name="sparse">Its histograms grow with what they see: for tasks that a node may have very many of.</param>
internal sealed class TaskMonitor(string name, bool sparse = false)
{
    public string Name { get; } = name;

    /// <summary>The name in UTF-8, for records that are written without making anything.</summary>
    public byte[] Utf8Name { get; } = System.Text.Encoding.UTF8.GetBytes(name);

    /// <summary>From arrival to the dispatch of the run that answered.</summary>
    public LatencyHistogram TimeInQueue { get; } = new(sparse);

    /// <summary>From dispatch to the terminal answer.</summary>
    public LatencyHistogram TimeOnSlave { get; } = new(sparse);

    public long Accepted { get; set; }

    public long Done { get; set; }

    public long Failed { get; set; }
}
