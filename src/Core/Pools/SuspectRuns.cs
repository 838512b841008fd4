using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Runs suspects. A suspect is a job whose slave died, because of this job or of another job on the same slave. The suspects of a slave run
/// in two groups, each on a slave of its own; when a slave dies of a group, the group is halved again, until the job that kills is alone.
/// So the number of rounds is that of halvings, however long the others run.
/// </summary>
/// <remarks>
/// <para>
/// Suspects and usual jobs do not keep each other waiting for ever. Suspects have at most half of the working slaves, or the only one.
/// After suspects have left their slave, alive or with the slave, waiting usual jobs come first and a batch of them goes on the slave; then
/// a slave is cleared for the next group. Groups run in the order in which they became suspects: one that kills again goes behind the
/// others.
/// </para>
/// <para>
/// Jobs that do not end, such as calls that wait for an event, do not keep others waiting either. A job that has run for
/// <see cref="EngineLimits.MaxAloneMs"/> on a slave that lives is hardly the one that kills. So suspects that have run apart for so long
/// are none any more when others wait; and a slave that was cleared for so long gets its suspects beside the jobs that are left.
/// </para>
/// </remarks>
internal sealed class SuspectRuns(EngineScope scope, SlaveRoster roster, SlavePool pool, IPoolOwner owner) : WheelTimer
{
    private bool _usualFirst;    // suspects ran last: usual jobs are next
    private int _lastGroup;

    /// <summary>
    /// Judges the jobs of a slave by its end, before they run again or fail. A job that was alone on the slave is charged with the death,
    /// and so is the one suspect that the slave was kept for: the jobs beside suspects are cleared. Jobs among others are not charged but
    /// suspected, in two halves.
    /// </summary>
    public void Judge(List<Job> jobs, in SlaveLoss loss)
    {
        int suspects = 0, placed = 0;
        foreach (Job job in jobs)
        {
            suspects += loss.Of(job) is LossVerdict.Charged or LossVerdict.Suspected && !job.IsAnswered ? 1 : 0;
        }

        foreach (Job job in jobs)
        {
            LossVerdict verdict = loss.Of(job);
            if (verdict == LossVerdict.None || job.IsAnswered)
            {
                continue;
            }

            if (verdict == LossVerdict.Cleared)
            {
                job.Spared = Math.Min(job.Spared + 1, EngineLimits.MostSpared);
                continue;
            }

            if (verdict == LossVerdict.Charged)
            {
                (job.Deaths ??= []).Add(loss.Death!);
            }
            else
            {
                job.InCompany = Math.Min(job.InCompany + 1, EngineLimits.MostInCompany);
            }

            // With one job on each slave there are no neighbours to protect.
            job.SuspectGroup = scope.Concurrency > 1 ? _lastGroup + 1 + SuspectHalves.HalfOf(placed++, suspects) : 0;
        }

        _lastGroup += suspects > 0 ? 2 : 0;
    }

    /// <summary>
    /// A job may run again after its slave's end. Runs that ended among other jobs do not count for the retry-limit, and runs that another
    /// job ended do not, a few times each. A job that may run only once does not run again at all.
    /// </summary>
    public bool MayRunAgain(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        bool isWithinLimit = limit > 0 && job.Runs <= limit + job.InCompany + job.Spared;
        return isWithinLimit && job.State == JobState.Running && job.Request.IsWhole && scope.State != EngineState.Stopped
            && (!job.IsSuspect || scope.Queue.Suspects.HasRoomFor(job));
    }

    /// <summary>
    /// The present run of a job is its last, however it ends: the request is not needed any more. A job that has or may get neighbours may
    /// still die of them, and such a death does not count.
    /// </summary>
    public bool IsLastRun(Job job)
    {
        int limit = scope.Settings.RetryLimitOf(job.Policy.RetryLimit);
        return limit == 0 || (scope.Concurrency == 1 && job.Runs > limit + job.InCompany + job.Spared);
    }

    /// <summary>Gives waiting jobs to slaves with room, and suspects to empty slaves.</summary>
    public void Feed()
    {
        bool gave = _usualFirst && pool.FeedUsual();
        _usualFirst &= !gave && scope.Queue.Usual > 0;
        while (scope.Queue.Suspects.First is { } first && FindEmpty() is { } slave)
        {
            RunGroup(slave, first.SuspectGroup);
        }

        ReleaseSurplus(); // another slave than the cleared one may have been empty first
        pool.FeedUsual();
    }

    /// <summary>Gives a slave the suspects of a group, as many as it has room for: the others are a group for another slave.</summary>
    private void RunGroup(Slave slave, int group)
    {
        while (slave.HasRoomApart && scope.Queue.Suspects.FirstOf(group) is { } suspect)
        {
            if (owner.TakeSuspect(suspect) is { } job)
            {
                slave.RunApart(job);
                Watch();
            }
            else if (slave.Solo.Group != group)
            {
                return; // its time was up, and the slave may have been given another job meanwhile
            }
        }
    }

    /// <summary>
    /// Clears slaves for suspects that neither an empty nor a starting slave will run. Called when the pool has grown as far as it does.
    /// </summary>
    public void Reserve()
    {
        if (scope.Queue.Suspects.Count == 0 || (_usualFirst && scope.Queue.Usual > 0))
        {
            return;
        }

        Share share = Measure();
        int wanted = Math.Min(scope.Queue.Suspects.Groups, share.Bound) - share.Used - roster.Starting;
        for (; wanted > 0; wanted--)
        {
            if (LeastBusy() is { } slave)
            {
                slave.Solo.Clear();
                slave.Ahead.TakeBack();
                Watch();
                continue;
            }

            RetireOneThatNeverClears();
            return;
        }
    }

    /// <summary>Suspects may have run apart for as long as it may, or a slave may have been cleared for so long.</summary>
    public override void OnDue(long nowMs)
    {
        if (scope.Queue.Unplaced > 0)
        {
            foreach (Slave slave in roster.Slaves)
            {
                if (slave.Solo is { Stage: SoloStage.Running, IsOver: true })
                {
                    Settle(slave);
                }
            }

            pool.Feed();
            Reserve();
        }

        Watch();
    }

    /// <summary>Suspects have left their slave, or died with it.</summary>
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

    /// <summary>Suspects have not killed their slave for so long that they are none any more: others may run beside them.</summary>
    private void Settle(Slave slave)
    {
        List<Job> jobs = slave.Channels.ToList().FindAll(slave.Solo.IsFor);
        PoolLog.Settled(scope.Log, scope.Name, JobNames.Suffix(jobs), EngineLimits.MaxAloneMs, slave.ShortId);
        jobs.ForEach(job => job.SuspectGroup = 0);
        slave.Solo.Release();
        OnRunOver();
    }

    /// <summary>Sees to it that <see cref="OnDue"/> comes when the first stage of a slave is over, or some time after it.</summary>
    private void Watch()
    {
        if (IsArmed)
        {
            return; // for a stage that began before
        }

        long nowMs = scope.Loop.NowMs, dueMs = long.MaxValue;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo.Stage != SoloStage.None)
            {
                long overMs = slave.Solo.SinceMs + EngineLimits.MaxAloneMs;
                dueMs = Math.Min(dueMs, overMs > nowMs ? overMs : nowMs + EngineLimits.MaxAloneMs); // nobody waited then
            }
        }

        if (dueMs != long.MaxValue)
        {
            scope.Loop.Timers.Arm(this, dueMs);
        }
    }

    /// <summary>Keeps no more slaves cleared than groups wait.</summary>
    private void ReleaseSurplus()
    {
        int surplus = -scope.Queue.Suspects.Groups;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo.Stage == SoloStage.Clearing && ++surplus > 0)
            {
                slave.Solo.Release();
            }
        }
    }

    /// <summary>A slave that can run a suspect alone; null when there is none, or when suspects have their share.</summary>
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

            if (slave.Solo.Stage == SoloStage.Clearing)
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
            if (slave.Solo.Stage == SoloStage.None && slave.CanBeCleared
                && (least is null || (slave.Solo.ClearedMs, slave.Load).CompareTo((least.Solo.ClearedMs, least.Load)) < 0))
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
                slave.Retire("a suspect needs an empty slave, and this slave has jobs that it does not end", SlaveEnd.Recycled);
                return;
            }
        }
    }

    private Share Measure()
    {
        int used = 0, working = 0;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Solo.Stage == SoloStage.Clearing && !slave.CanBeCleared && !slave.CanRunAlone)
            {
                slave.Solo.Release(); // it would not be fit soon
            }

            if (slave.State is SlaveState.Idle or SlaveState.Busy && !slave.IsRetired && !slave.IsEnding)
            {
                working++;
                used += slave.Solo.Stage == SoloStage.None ? 0 : 1;
            }
        }

        return new Share(used, Math.Max(1, working / 2));
    }

    /// <param name="Used">Slaves that suspects have, or that are being cleared for suspects.</param>
    /// <param name="Bound">The most slaves that suspects may have.</param>
    private readonly record struct Share(int Used, int Bound);
}
