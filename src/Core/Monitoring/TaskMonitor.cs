namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The measures of one task.</summary>
/// <param name="name">The task's name.</param>
/// <param name="sparse">Its histograms grow with what they see: for tasks that a node may have very many of.</param>
internal sealed class TaskMonitor(string name, bool sparse = false)
{
    public string Name { get; } = name;

    /// <summary>The name in UTF-8, for records that are written without making anything.</summary>
    public byte[] Utf8Name { get; } = System.Text.Encoding.UTF8.GetBytes(name);

    /// <summary>Longest run of one of its jobs, ms; 0 = none.</summary>
    public long JobTimeoutMs { get; set; }

    /// <summary>
    /// From arrival to the dispatch of the run that answered, or to the error of a job that ended in the queue: each job that was done or
    /// failed counts once.
    /// </summary>
    public LatencyHistogram TimeInQueue { get; } = new(sparse);

    /// <summary>From dispatch to the terminal answer, by whoever gave it.</summary>
    public LatencyHistogram TimeOnSlave { get; } = new(sparse);

    public long Accepted { get; set; }

    public long Done { get; set; }

    public long Failed => FailedInQueue + FailedOnSlave;

    /// <summary>Jobs that failed while they waited; the others are in both histograms.</summary>
    public long FailedInQueue { get; set; }

    /// <summary>Jobs that failed on a slave, by their app or by the node.</summary>
    public long FailedOnSlave { get; set; }
}
