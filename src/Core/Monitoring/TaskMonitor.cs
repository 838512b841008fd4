namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The measures of one task.</summary>
/// <param name="name">The task's name.</param>
/// <param name="sparse">The histograms grow with their values: for kinds of tasks that a node may have in great numbers.</param>
internal sealed class TaskMonitor(string name, bool sparse = false)
{
    public string Name { get; } = name;

    /// <summary>The name in UTF-8, for records that are written without allocation.</summary>
    public byte[] Utf8Name { get; } = System.Text.Encoding.UTF8.GetBytes(name);

    /// <summary>Other nodes may take the task's jobs.</summary>
    public bool MayForward { get; set; }

    /// <summary>Longest run of one of the task's jobs, ms; 0 = none.</summary>
    public long JobTimeoutMs { get; set; }

    /// <summary>All counts of the task.</summary>
    public TaskCounts Counts { get; private set; } = new(sparse);

    /// <summary>
    /// From the arrival to the dispatch of the run that answered, or to the error of a job that ended in the queue. Each job that was done
    /// or failed counts once.
    /// </summary>
    public LatencyHistogram TimeInQueue => Counts.TimeInQueue;

    /// <summary>From the dispatch to the terminal answer, whether the app or the node gave it.</summary>
    public LatencyHistogram TimeOnSlave => Counts.TimeOnSlave;

    public long Accepted { get => Counts.Accepted; set => Counts.Accepted = value; }

    public long Done { get => Counts.Done; set => Counts.Done = value; }

    public long Failed => FailedInQueue + FailedOnSlave;

    /// <summary>Jobs that failed while they waited; all other jobs are in both histograms.</summary>
    public long FailedInQueue { get => Counts.FailedInQueue; set => Counts.FailedInQueue = value; }

    /// <summary>Jobs that failed on a slave, by their app or by the node.</summary>
    public long FailedOnSlave { get => Counts.FailedOnSlave; set => Counts.FailedOnSlave = value; }

    /// <summary>
    /// Goes on with the counts of the same task of the version before. Both monitors then count in one place. Nothing was counted here yet.
    /// </summary>
    public void Continue(TaskMonitor before) => Counts = before.Counts;
}
