using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Jobs of one kind that wait: those to be run again, oldest first, then the others by their arrival; or newest first, while an adaptive
/// queue is behind.
/// </summary>
/// <remarks>
/// After CoDel (RFC 8289) and the adaptive LIFO of "Fail at Scale" (Maurer, 2015): a queue whose oldest job has waited over the target
/// for a whole interval is no burst that clears by itself. First come, first served would then answer everybody too late; newest first
/// answers those in time who still can be, and the old ones run when there is time again, or expire.
/// </remarks>
internal sealed class QueueLane(QueueOrder order, long targetNs, long intervalNs)
{
    private const long Never = long.MaxValue;

    private readonly JobList _again = new();
    private readonly JobList _waiting = new();
    private long _overSince = Never;   // when the oldest went over the target; Never while it is not known to be

    /// <summary>The newest job goes first at present.</summary>
    public bool ServesNewest { get; private set; }

    /// <summary>The job that has waited longest; null when none waits.</summary>
    public Job? Oldest => _again.First ?? _waiting.First;

    public void Add(Job job) => _waiting.AddLast(job);

    /// <summary>Puts a job that has run before all others.</summary>
    public void AddAgain(Job job) => _again.AddFirst(job);

    /// <summary>The job that is next to run, still in the lane; null when none waits.</summary>
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

    public void Remove(Job job)
    {
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

    private void Judge(Job oldest, long nowNs)
    {
        long overAt = oldest.ArrivedNs + targetNs;
        if (overAt >= nowNs)
        {
            _overSince = Never;
            ServesNewest = false;
            return;
        }

        // The wait counts from the job's own time: after a stall no look was taken for as long, and the queue is behind all the same.
        _overSince = Math.Min(_overSince, overAt);
        ServesNewest = nowNs - _overSince >= intervalNs;
    }
}
