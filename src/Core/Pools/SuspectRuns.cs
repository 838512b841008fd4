using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Runs suspects. A suspect is a job whose slave died, because of this job or of another job on the same slave. Each suspect runs on a
/// slave of its own. So a job that kills takes no other job with it a second time, and the next death is caused by the suspect or by no
/// job.
/// </summary>
/// <remarks>
/// Suspects and usual jobs do not keep each other waiting for ever. Suspects have at most half of the working slaves, or the only one.
/// After a suspect has left its slave, alive or with the slave, waiting usual jobs come first and a batch of them goes on the slave; then a
/// slave is cleared for the next suspect. A slave that is not empty in time, because a job on it takes very long, is released for as long,
/// and another slave is tried. Suspects run in the order in which they became suspects: a suspect that kills again goes behind the others.
/// </remarks>
internal sealed class SuspectRuns(EngineScope scope, SlaveRoster roster, SlavePool pool, IPoolOwner owner) : WheelTimer
{
    private bool _usualFirst;    // a suspect ran last: usual jobs are next
    private long _restUntilMs;   // no slave is cleared before this time
    private long _patienceMs = EngineLimits.MinClearingMs;

    /// <summary>
    /// Judges a job by its slave's end. A job that was alone on the slave is charged with the death. A job among others is not charged but
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

        // With one job on each slave there are no neighbours to protect.
        job.IsSuspect |= loss.Death is not null && scope.Concurrency > 1;
    }

    /// <summary>
    /// A job may run again after its slave's end. A run that ended among other jobs does not count for the retry-limit. There is at most
    /// one such run: when the job runs alone, each death is its own. A job that may run only once does not run again at all.
    /// </summary>
    public bool MayRunAgain(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool isWithinLimit = limit > 0 && job.Runs <= limit + (job.DiedInCompany ? 1 : 0);
        return isWithinLimit && job.State == JobState.Running && job.Request.IsWhole && scope.State != EngineState.Stopped
            && (!job.IsSuspect || scope.Queue.Suspects.HasRoomFor(job));
    }

    /// <summary>
    /// The present run of a job is its last, however it ends: the request is not needed any more. A job with neighbours may still die with
    /// them, and that death does not count.
    /// </summary>
    public bool IsLastRun(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool hasOneMore = job.DiedInCompany || (!job.IsSuspect && scope.Concurrency > 1);
        return limit == 0 || job.Runs > limit + (hasOneMore ? 1 : 0);
    }

    /// <summary>Gives waiting jobs to slaves with room, and suspects to empty slaves.</summary>
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

        ReleaseSurplus(); // another slave than the cleared one may have been empty first
        pool.FeedUsual();
    }

    /// <summary>
    /// Clears slaves for suspects that neither an empty nor a starting slave will run. Called when the pool has grown as far as it does.
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
                slave.Ahead.TakeBack();
                scope.Loop.Timers.Arm(this, scope.Loop.NowMs + _patienceMs);
                continue;
            }

            RetireOneThatNeverClears();
            return;
        }
    }

    /// <summary>Slaves were cleared for as long as is allowed and are not empty, or the rest after that is over.</summary>
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

    /// <summary>A suspect has left its slave, or died with it.</summary>
    public void OnRunOver() => _usualFirst = true;

    /// <summary>A waiting suspect was answered without another run: a slave that is being cleared for it need not be.</summary>
    public void OnLeft()
    {
        ReleaseSurplus();
        if (scope.State != EngineState.Stopped)
        {
            pool.FeedUsual();
        }
    }

    /// <summary>Keeps no more slaves cleared than suspects wait.</summary>
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

    /// <summary>An empty slave for a suspect; null when there is none, or when suspects have their share.</summary>
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
                return slave; // the slave was cleared for this
            }

            empty = slave;
        }

        return share.Used < share.Bound ? empty : null;
    }

    /// <summary>The slave that will probably be empty first: the least busy of those that were not cleared lately.</summary>
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
    /// While an app drains no slave is recycled. A slave that abandoned a job would then never be empty. So such a slave ends once the jobs
    /// that somebody waits for are done, and the pool launches another one.
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
                slave.Retire("a suspect needs an empty slave, and this slave has jobs that it does not end");
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

    /// <param name="Used">Slaves that suspects have, or that are being cleared for suspects.</param>
    /// <param name="Bound">The most slaves that suspects may have.</param>
    private readonly record struct Share(int Used, int Bound);
}
