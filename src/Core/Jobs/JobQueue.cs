using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>Jobs that wait, urgent ones first. Bounded by the engine, in jobs and in bytes.</summary>
internal sealed class JobQueue
{
    private readonly QueueLane _urgent;
    private readonly QueueLane _usual;

    /// <param name="order">The order of the jobs of one kind.</param>
    /// <param name="targetMs">The wait of the oldest job that is too long, in an adaptive queue.</param>
    /// <param name="intervalMs">How long the wait must have been too long.</param>
    public JobQueue(QueueOrder order = QueueOrder.Fifo, long targetMs = 0, long intervalMs = 0)
    {
        _urgent = new QueueLane(order, targetMs * Clock.NsPerMs, intervalMs * Clock.NsPerMs);
        _usual = new QueueLane(order, targetMs * Clock.NsPerMs, intervalMs * Clock.NsPerMs);
    }

    /// <summary>All waiting jobs, including placed jobs and suspects.</summary>
    public int Count { get; private set; }

    /// <summary>Jobs that stand in the rings of slaves. The slaves have not begun them.</summary>
    public int Placed { get; private set; }

    /// <summary>Jobs that stand in no slave's ring.</summary>
    public int Unplaced => Count - Placed;

    /// <summary>Jobs that any slave with room may run.</summary>
    public int Usual => Unplaced - Suspects.Count;

    /// <summary>Jobs that wait for a slave of their own.</summary>
    public SuspectLane Suspects { get; } = new();

    /// <summary>Request bytes of all waiting jobs.</summary>
    public long SizeBytes { get; private set; }

    /// <summary>The queue serves the newest jobs of at least one kind first at present.</summary>
    public bool ServesNewest => _urgent.ServesNewest || _usual.ServesNewest;

    /// <summary>The job that has waited longest, or null. Of the suspects only the next one to run is considered.</summary>
    public Job? Oldest => Older(Older(_urgent.Oldest, _usual.Oldest), Suspects.First);

    /// <summary>The jobs that run before one that comes now.</summary>
    public int AheadOf(bool urgent) => ServesNewest ? Placed : urgent ? Placed + _urgent.Count : Count;

    public void Add(Job job)
    {
        LaneOf(job).Add(job);
        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    /// <summary>Puts a job that has to run again before all others of its kind; a suspect goes behind the other suspects.</summary>
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

    /// <summary>The request of a waiting job has grown.</summary>
    public void CountGrowth(Job job, int bytes)
    {
        SizeBytes += bytes;
        if (job.IsSuspect)
        {
            Suspects.CountGrowth(bytes);
        }
    }

    /// <summary>The number of slaves that the jobs fill: each group of suspects fills one.</summary>
    public int SlavesFor(int concurrency) => Suspects.Groups + ((Count - Suspects.Count + concurrency - 1) / concurrency);

    /// <summary>The next job to run on any slave, still in the queue; null when none waits.</summary>
    public Job? Next(long nowNs) => _urgent.Next(nowNs) ?? _usual.Next(nowNs);

    /// <summary>The first of the next jobs with a whole request, still in the queue; null when there is none.</summary>
    public Job? NextWhole(long nowNs)
    {
        int looks = EngineLimits.RequestsLookedAt;
        return _urgent.NextWhole(nowNs, ref looks) ?? _usual.NextWhole(nowNs, ref looks);
    }

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

    /// <summary>A job that is next, and no suspect, stands in a slave's ring from now on. It counts as waiting still.</summary>
    public void Place(Job job)
    {
        LaneOf(job).Remove(job);
        Placed++;
    }

    /// <summary>The worker has begun a placed job.</summary>
    public void OnBegun(Job job)
    {
        Placed--;
        Count--;
        SizeBytes -= job.Request.SizeBytes;
    }

    /// <summary>A placed job is back in the node's hand: it is the next one of its kind.</summary>
    public void PutBack(Job job)
    {
        Placed--;
        LaneOf(job).PutBack(job);
    }

    /// <summary>A job that was given to a slave and not begun is back in the node's hand: it is the next one of its kind.</summary>
    public void PutBackRun(Job job)
    {
        if (job.IsSuspect)
        {
            Suspects.AddFirst(job);
        }
        else
        {
            LaneOf(job).PutBack(job);
        }

        Count++;
        SizeBytes += job.Request.SizeBytes;
    }

    private static Job? Older(Job? one, Job? other) =>
        one is null ? other : other is null || one.ArrivedNs < other.ArrivedNs ? one : other;

    private QueueLane LaneOf(Job job) => job.Policy.Urgent ? _urgent : _usual;
}
