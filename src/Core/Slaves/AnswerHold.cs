using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The answers of a slave to callers that are slower than the slave. A worker with flow control is asked to hold the answer of the one job.
/// Without it, the node stops reading the slave's answers, as long as the slave has no other job.
/// </summary>
/// <param name="channels">The slave's jobs, and the way to the worker.</param>
internal sealed class AnswerHold(SlaveChannels channels)
{
    private int _holders; // callers for which the node does not read the slave's answers now

    /// <summary>The node does not read the slave's answers.</summary>
    public bool IsHeldBack => _holders > 0;

    /// <summary>
    /// The time at which the node began to read the answers again, ms of the loop's listened time; 0 when it never stopped. Valid while the
    /// answers are not held back.
    /// </summary>
    public long ReleasedMs { get; private set; }

    /// <summary>Holds a job's answer back; false when it cannot be held, because others would be held with it.</summary>
    /// <param name="channel">The job's channel.</param>
    /// <param name="load">Jobs that the slave runs.</param>
    /// <param name="jobOnly">Holds nothing but the one job: without flow control, nothing.</param>
    /// <param name="holdsAll">From now on nothing that the slave runs goes on.</param>
    public bool TryHold(ulong channel, int load, bool jobOnly, out bool holdsAll)
    {
        holdsAll = false;
        if (channels.Link.HasFlow)
        {
            holdsAll = HoldJob(channel) && load == 1;
            return true;
        }

        if (load > 1 || jobOnly)
        {
            return false;
        }

        if (_holders++ == 0)
        {
            channels.Link.PauseReading();
            holdsAll = true;
        }

        return true;
    }

    /// <summary>A caller has room again. True when the slave's answers, or those of its one job, go on.</summary>
    public bool Release(ulong channel, long listenedMs)
    {
        if (channels.Link.HasFlow)
        {
            return ReleaseJob(channel);
        }

        if (_holders == 0 || --_holders > 0)
        {
            return false;
        }

        ReleasedMs = listenedMs;
        return true;
    }

    private bool HoldJob(ulong channel)
    {
        if (!channels.TryGet(channel, out Job? job) || job.AnswerHeld)
        {
            return false;
        }

        job.AnswerHeld = true;
        channels.WriteFlow(job, holds: true);
        return true;
    }

    private bool ReleaseJob(ulong channel)
    {
        if (!channels.TryGet(channel, out Job? job) || !job.AnswerHeld || job.IsAnswered)
        {
            return false; // the job ended while it was held, and its hold with it
        }

        job.AnswerHeld = false;
        channels.WriteFlow(job, holds: false);
        return true;
    }
}
