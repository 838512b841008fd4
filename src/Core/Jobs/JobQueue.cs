using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>Jobs that wait, urgent ones first. Bounded by the engine, in jobs and in bytes.</summary>
internal sealed class JobQueue
{
    private readonly QueueLane _urgent;
    private readonly QueueLane _usual;

    /// <param name="order">Which job of a kind is next.</param>
    /// <param name="targetMs">Wait of the oldest that is too long; of an adaptive queue.</param>
    /// <param name="intervalMs">How long it must have been too long.</param>
    public JobQueue(QueueOrder order = QueueOrder.Fifo, long targetMs = 0, long intervalMs = 0)
    {
        _urgent = new QueueLane(order, targetMs * 1_000_000, intervalMs * 1_000_000);
        _usual = new QueueLane(order, targetMs * 1_000_000, intervalMs * 1_000_000);
    }

    public int Count { get; private set; }

    /// <summary>Request bytes of the jobs that wait.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The newest of some kind of jobs goes first at present.</summary>
    public bool ServesNewest => _urgent.ServesNewest || _usual.ServesNewest;

    /// <summary>The job that has waited longest, or null.</summary>
    public Job? Oldest
    {
        get
        {
            Job? urgent = _urgent.Oldest, usual = _usual.Oldest;
            return urgent is null ? usual : usual is null || urgent.ArrivedTicks < usual.ArrivedTicks ? urgent : usual;
        }
    }

    public void Add(Job job)
    {
        LaneOf(job).Add(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Puts a job that is to be run again before all others of its kind.</summary>
    public void AddAgain(Job job)
    {
        LaneOf(job).AddAgain(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>The request of a job that waits has grown.</summary>
    public void CountGrowth(int bytes) => SizeBytes += bytes;

    /// <summary>The job that is next to run, still in the queue; null when none waits.</summary>
    public Job? Next(long nowTicks) => _urgent.Next(nowTicks) ?? _usual.Next(nowTicks);

    /// <summary>Takes a job out; its request must not have been cleared yet.</summary>
    public void Remove(Job job)
    {
        LaneOf(job).Remove(job);
        Count--;
        SizeBytes -= job.Request.SizeBytes;
    }

    private QueueLane LaneOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
