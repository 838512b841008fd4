namespace Cocaine.Fast.Core.Monitoring;

/// <summary>The counts of a task. They go on when another version of the app has the task. The loop writes them; others may read.</summary>
/// <param name="sparse">The histograms grow with their values.</param>
internal sealed class TaskCounts(bool sparse = false)
{
    /// <inheritdoc cref="TaskMonitor.TimeInQueue"/>
    public LatencyHistogram TimeInQueue { get; private init; } = new(sparse);

    /// <inheritdoc cref="TaskMonitor.TimeOnSlave"/>
    public LatencyHistogram TimeOnSlave { get; private init; } = new(sparse);

    public long Accepted { get; set; }

    public long Done { get; set; }

    /// <inheritdoc cref="TaskMonitor.FailedInQueue"/>
    public long FailedInQueue { get; set; }

    /// <inheritdoc cref="TaskMonitor.FailedOnSlave"/>
    public long FailedOnSlave { get; set; }

    /// <summary>Messages of peers that break their protocol.</summary>
    public long Malformed { get; set; }

    /// <summary>Connections over the bound of their address, or of the task.</summary>
    public long ConnectionsRefused { get; set; }

    /// <summary>Jobs that the driver wanted to make and the engine refused: for ticks, changes and messages that nobody repeats.</summary>
    public long Dropped { get; set; }

    /// <summary>Ticks of a timer, those that made no job too.</summary>
    public long Ticks { get; set; }

    /// <summary>Ticks that were left out: the node was late, or the last job was running.</summary>
    public long TicksSkipped { get; set; }

    /// <summary>The same counts, which nobody adds to.</summary>
    public TaskCounts Copy()
    {
        TaskCounts copy = new() { TimeInQueue = TimeInQueue.Copy(), TimeOnSlave = TimeOnSlave.Copy() };
        copy.AddNumbers(this);
        return copy;
    }

    /// <summary>Adds the counts of the task on another loop.</summary>
    public void Add(TaskCounts other)
    {
        TimeInQueue.Merge(other.TimeInQueue);
        TimeOnSlave.Merge(other.TimeOnSlave);
        AddNumbers(other);
    }

    private void AddNumbers(TaskCounts other)
    {
        Accepted += other.Accepted;
        Done += other.Done;
        FailedInQueue += other.FailedInQueue;
        FailedOnSlave += other.FailedOnSlave;
        Malformed += other.Malformed;
        ConnectionsRefused += other.ConnectionsRefused;
        Dropped += other.Dropped;
        Ticks += other.Ticks;
        TicksSkipped += other.TicksSkipped;
    }
}
