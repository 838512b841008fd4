using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Runs suspects: jobs whose slave died, of them or of one beside them. Each gets a slave of its own while it runs, so that a job that
/// kills takes no other one with it a second time, and the next death is its own or no job's.
/// </summary>
/// <remarks>
/// Neither kind of jobs keeps the other waiting for ever. Suspects have at most half of the slaves that work, or the only one. After a
/// suspect has left its slave, by its end or with the slave, those that wait for any slave are first, and a batch of them goes on it; then
/// a slave is cleared for the next suspect. A slave that is not empty in time, because a job on it takes very long, is let go for
/// as long, and another one is tried. Suspects are run in the order in which they became it: one that kills again goes behind the others.
/// </remarks>
internal sealed class SuspectRuns(EngineScope scope, SlaveRoster roster, SlavePool pool, IPoolOwner owner) : WheelTimer
{
    private bool _usualFirst;    // a suspect ran last: jobs that any slave may run are next
    private long _restUntilMs;   // no slave is cleared before
    private long _patienceMs = EngineLimits.MinClearingMs;

    /// <summary>
    /// Judges a job by its slave's end. Alone on it the job is charged with the death, among others it is not: it is
    /// suspected.
    /// </summary>
    public void Judge(Job job, in SlaveLoss loss)
    {
        if (loss.IsProof)
        {
            (job.Deaths ??= []).Add(loss.Death!);
        }
        else if (loss.IsSuspicion)
        {
            job.DiedInCompany = true;
        }

        // A job without neighbours need not be kept apart.
        job.IsSuspect |= loss.Death is not null && scope.Settings.Concurrency > 1;
    }

    /// <summary>
    /// A job may be run again after its slave's end. The run that ended in company is not one of those that the retry-limit counts, and
    /// there is one such run at most: alone each death is the job's own. A job that may run once only is not run again at all.
    /// </summary>
    public bool MayRunAgain(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool isWithinLimit = limit > 0 && job.Runs <= limit + (job.DiedInCompany ? 1 : 0);
        return isWithinLimit && job.State == JobState.Running && job.Request.IsWhole && scope.State != EngineState.Stopped
            && (!job.IsSuspect || scope.Queue.Suspects.HasRoomFor(job));
    }

    /// <summary>
    /// The present run of a job is its last, however it ends: its request is needed no more. A job with neighbours may still die with them,
    /// which counts for none.
    /// </summary>
    public bool IsLastRun(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool hasOneMore = job.DiedInCompany || (!job.IsSuspect && scope.Settings.Concurrency > 1);
        return limit == 0 || job.Runs > limit + (hasOneMore ? 1 : 0);
    }

    /// <summary>Gives jobs that wait to slaves with room, and suspects to those that are empty.</summary>
    public void Feed()
    {
        bool gave = _usualFirst && pool.FeedUsual();
        _usualFirst &= !gave && scope.Queue.Usual > 0;
        while (scope.Queue.Suspects.Count > 0 && FindEmpty() is { } slave)
        {
            if (owner.TakeNextSuspect() is { } job)
            {
                _patienceMs = EngineLimits.MinClearingMs;
                slave.RunAlone(job);
            }
        }

        ReleaseSurplus(); // another slave than the one that is cleared for it may have been empty first
        pool.FeedUsual();
    }

    /// <summary>
    /// Clears slaves for suspects that no empty slave and none on its way will run. Called when the pool has grown as far as it does.
    /// </summary>
    public void Reserve()
    {
        bool isTurn = scope.Loop.NowMs >= _restUntilMs && !(_usualFirst && scope.Queue.Usual > 0);
        if (scope.Queue.Suspects.Count == 0 || !isTurn)
        {
            return;
        }

        Share share = Measure();
        int wanted = Math.Min(scope.Queue.Suspects.Count, share.Bound) - share.Used - roster.Starting;
        for (; wanted > 0; wanted--)
        {
            if (LeastBusy() is { } slave)
            {
                slave.ClearedMs = scope.Loop.NowMs;
                slave.MoveTo(SoloStage.Clearing);
                scope.Loop.Timers.Arm(this, scope.Loop.NowMs + _patienceMs);
                continue;
            }

            RetireOneThatNeverClears();
            return;
        }
    }

    /// <summary>Slaves were cleared for as long as may be and are not empty; or the rest after that is over.</summary>
    public override void OnDue(long nowMs)
    {
        bool gaveUp = false;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo == SoloStage.Clearing)
            {
                slave.MoveTo(SoloStage.None);
                gaveUp = true;
            }
        }

        if (gaveUp)
        {
            _usualFirst = true;
            _restUntilMs = nowMs + _patienceMs;
            _patienceMs = Math.Min(_patienceMs * 2, EngineLimits.MaxClearingMs);
            scope.Loop.Timers.Arm(this, _restUntilMs);
        }

        pool.Feed();
        Reserve();
    }

    /// <summary>A suspect has left the slave that it had for itself, or died with it.</summary>
    public void OnRunOver() => _usualFirst = true;

    /// <summary>A suspect that waited was answered without another run: a slave that is cleared for it need not be.</summary>
    public void OnLeft()
    {
        ReleaseSurplus();
        if (scope.State != EngineState.Stopped)
        {
            pool.FeedUsual();
        }
    }

    /// <summary>No more slaves are cleared than suspects wait.</summary>
    private void ReleaseSurplus()
    {
        int surplus = -scope.Queue.Suspects.Count;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo == SoloStage.Clearing && ++surplus > 0)
            {
                slave.MoveTo(SoloStage.None);
            }
        }
    }

    /// <summary>An empty slave that a suspect may have; null when there is none, or suspects have their share.</summary>
    private Slave? FindEmpty()
    {
        Share share = Measure();
        Slave? empty = null;
        foreach (Slave slave in roster.Slaves)
        {
            if (!slave.CanRunAlone)
            {
                continue;
            }

            if (slave.Solo == SoloStage.Clearing)
            {
                return slave; // it was cleared for this
            }

            empty = slave;
        }

        return share.Used < share.Bound ? empty : null;
    }

    /// <summary>The slave that will be empty first, as far as one can tell: of those that were not cleared lately the least busy.</summary>
    private Slave? LeastBusy()
    {
        Slave? least = null;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo == SoloStage.None && slave.CanBeCleared
                && (least is null || (slave.ClearedMs, slave.Load).CompareTo((least.ClearedMs, least.Load)) < 0))
            {
                least = slave;
            }
        }

        return least;
    }

    /// <summary>
    /// While an app drains nothing is recycled. A slave that keeps jobs which it does not end is never empty then: it ends, once those that
    /// somebody waits for are done, and the pool launches another one.
    /// </summary>
    private void RetireOneThatNeverClears()
    {
        if (scope.State != EngineState.Draining)
        {
            return;
        }

        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Channels.Abandoned > 0 && !slave.IsRetired && !slave.IsEnding)
            {
                slave.Retire("a suspect needs a slave that is empty, and this one has jobs that it does not end");
                return;
            }
        }
    }

    private Share Measure()
    {
        int used = 0, working = 0;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo == SoloStage.Clearing && !slave.CanBeCleared && !slave.CanRunAlone)
            {
                slave.MoveTo(SoloStage.None); // it would not be empty soon
            }

            if (slave.State is SlaveState.Idle or SlaveState.Busy && !slave.IsRetired && !slave.IsEnding)
            {
                working++;
                used += slave.Solo == SoloStage.None ? 0 : 1;
            }
        }

        return new Share(used, Math.Max(1, working / 2));
    }

    /// <param name="Used">Slaves that suspects have, or that are cleared for them.</param>
    /// <param name="Bound">How many they may have.</param>
    private readonly record struct Share(int Used, int Bound);
}
