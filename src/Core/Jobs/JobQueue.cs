using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Timing;

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
        _urgent = new QueueLane(order, targetMs * Clock.NsPerMs, intervalMs * Clock.NsPerMs);
        _usual = new QueueLane(order, targetMs * Clock.NsPerMs, intervalMs * Clock.NsPerMs);
    }

    /// <summary>All of them, suspects included.</summary>
    public int Count { get; private set; }

    /// <summary>Jobs that any slave with room may run.</summary>
    public int Usual => Count - Suspects.Count;

    /// <summary>Jobs that wait for a slave of their own.</summary>
    public SuspectLane Suspects { get; } = new();

    /// <summary>Request bytes of the jobs that wait.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The newest of some kind of jobs goes first at present.</summary>
    public bool ServesNewest => _urgent.ServesNewest || _usual.ServesNewest;

    /// <summary>The job that has waited longest, or null; of the suspects the one that is next is looked at.</summary>
    public Job? Oldest => Older(Older(_urgent.Oldest, _usual.Oldest), Suspects.First);

    public void Add(Job job)
    {
        LaneOf(job).Add(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Puts a job that is to be run again before all others of its kind; a suspect behind the suspects.</summary>
    public void AddAgain(Job job)
    {
        if (job.IsSuspect)
        {
            Suspects.Add(job);
        }
        else
        {
            LaneOf(job).AddAgain(job);
        }

        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>The request of a job that waits has grown.</summary>
    public void CountGrowth(Job job, int bytes)
    {
        SizeBytes += bytes;
        if (job.IsSuspect)
        {
            Suspects.CountGrowth(bytes);
        }
    }

    /// <summary>Slaves that the jobs fill: each suspect one.</summary>
    public int SlavesFor(int concurrency) => Suspects.Count + ((Usual + concurrency - 1) / concurrency);

    /// <summary>The job that is next to run on any slave, still in the queue; null when none waits.</summary>
    public Job? Next(long nowNs) => _urgent.Next(nowNs) ?? _usual.Next(nowNs);

    /// <summary>Takes a job out; its request must not have been cleared yet.</summary>
    public void Remove(Job job)
    {
        if (job.IsSuspect)
        {
            Suspects.Remove(job);
        }
        else
        {
            LaneOf(job).Remove(job);
        }

        Count--;
        SizeBytes -= job.Request.SizeBytes;
    }

    private static Job? Older(Job? one, Job? other) =>
        one is null ? other : other is null || one.ArrivedNs < other.ArrivedNs ? one : other;

    private QueueLane LaneOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
