using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Waiting jobs of one kind. Jobs that have to run again come first, oldest first. The other jobs follow by their arrival, or newest first
/// while an adaptive queue is behind.
/// </summary>
/// <remarks>
/// The order follows CoDel (RFC 8289) and the adaptive LIFO of "Fail at Scale" (Maurer, 2015). When the oldest job has waited over the
/// target for a whole interval, the queue is no burst that clears by itself. First come, first served would then answer everybody too late.
/// Newest first answers those in time who can still be, and the old jobs run when there is time again, or expire.
/// </remarks>
internal sealed class QueueLane(QueueOrder order, long targetNs, long intervalNs)
{
    private const long Never = long.MaxValue;

    private readonly JobList _again = new();
    private readonly JobList _waiting = new();
    private long _overSince = Never;   // when the oldest job went over the target; Never while no such time is known

    /// <summary>The lane serves the newest job first at present.</summary>
    public bool ServesNewest { get; private set; }

    /// <summary>The job that has waited longest; null when none waits.</summary>
    public Job? Oldest => _again.First ?? _waiting.First;

    /// <summary>The jobs in the lane.</summary>
    public int Count { get; private set; }

    public void Add(Job job)
    {
        Count++;
        _waiting.AddLast(job);
    }

    /// <summary>Puts a job that has run before in front of all others.</summary>
    public void AddAgain(Job job)
    {
        Count++;
        _again.AddFirst(job);
    }

    /// <summary>Puts a job that was taken back from its slave where it came from: it is the next one.</summary>
    public void PutBack(Job job)
    {
        Count++;
        (job.Runs > 0 ? _again : _waiting).AddFirst(job);
    }

    /// <summary>The next job to run, still in the lane; null when none waits.</summary>
    public Job? Next(long nowNs)
    {
        if (_again.First is { } again)
        {
            return again;
        }

        if (order == QueueOrder.Adaptive && _waiting.First is { } oldest)
        {
            Judge(oldest, nowNs);
        }

        return ServesNewest ? _waiting.Last : _waiting.First;
    }

    /// <summary>The first of the next jobs with a whole request, still in the lane; null when none is found with so many looks.</summary>
    public Job? NextWhole(long nowNs, ref int looks)
    {
        Job? job = Next(nowNs);
        while (job is { IsWhole: false } && --looks > 0)
        {
            job = After(job);
        }

        return job is { IsWhole: true } ? job : null;
    }

    public void Remove(Job job)
    {
        Count--;
        if (job.Runs > 0)
        {
            _again.Remove(job);
            return;
        }

        _waiting.Remove(job);
        if (_waiting.First is null)
        {
            _overSince = Never;
            ServesNewest = false;
        }
    }

    private Job? After(Job job) => job.Runs > 0 ? job.Next ?? (ServesNewest ? _waiting.Last : _waiting.First)
        : ServesNewest ? job.Previous : job.Next;

    private void Judge(Job oldest, long nowNs)
    {
        long overAt = oldest.ArrivedNs + targetNs;
        if (overAt >= nowNs)
        {
            _overSince = Never;
            ServesNewest = false;
            return;
        }

        // The wait counts from the job's own time: after a stall nobody has looked for as long, and the queue is behind all the same.
        _overSince = Math.Min(_overSince, overAt);
        ServesNewest = nowNs - _overSince >= intervalNs;
    }
}
