using System.Diagnostics;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// The jobs that stand in a slave's ring ahead of their turn, so that the worker goes from job to job without a word from the node; the
/// watch over the oldest of them; and the way back, for them and for other jobs that the worker has not begun.
/// </summary>
/// <remarks>
/// A placed job is queued in every respect that a user sees. The worker begins the jobs of its ring in the order of their channels. So
/// when a job that runs has ended, the oldest placed one runs in its place, and the node need not ask. A recall asks: it makes the worker
/// begin no job above a channel that it has named, and those jobs are the node's again; docs/worker-protocol.md has the proof.
/// </remarks>
internal sealed class JobsAhead(Slave slave, ISlaveOwner owner) : WheelTimer
{
    private readonly JobList _placed = new();
    private int _sizeBytes;  // request bytes of the placed jobs
    private JobPace _pace;
    private ulong _begunAtLook; // the worker's word at the last look for a stall
    private bool _stoodAtLook;  // it had not begun all of its jobs then
    private long _heldUpNs;     // the last look at which the worker was held up

    /// <summary>The placed jobs: how many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Time per job of the slave, ns; 0 while nothing is known.</summary>
    public long PerJobNs => _pace.PerJobNs;

    /// <summary>Something is known of the time per job.</summary>
    public bool KnowsPace => _pace.IsKnown;

    /// <summary>The slave has lately ended jobs that take next to no time.</summary>
    public bool IsQuick(long nowNs) => _pace.QuickNs > 0 && nowNs - _pace.QuickNs < EngineLimits.LatelyNs;

    /// <summary>When a job ended last, or the slave's work began if none did, ns.</summary>
    public long LastNs => _pace.LastNs;

    /// <summary>The last turn in which the slave had one of the machine's cores, ns. Only the pool's core share uses it.</summary>
    public long CoreTurnNs { get; set; }

    /// <summary>Half of the jobs that may stand ahead have been begun, or more: it is time for others.</summary>
    public bool IsLow => Count <= _pace.Ahead / 2;

    /// <summary>The slave may have one more job ahead, as far as its pace and its ring tell.</summary>
    public bool HasRoom => Count < _pace.Ahead && !_pace.IsAsleep && slave.Link.TellsBegun && !slave.Link.IsBlocked
        && _sizeBytes < slave.Scope.Settings.PipeSizeBytes / EngineLimits.AheadRingPart;

    /// <summary>The worker has not begun something that it has, and has ended nothing for longer than work ahead may take.</summary>
    public bool IsStuck(long nowNs) => HasUnbegun && nowNs - _pace.LastNs > EngineLimits.AheadTargetNs;

    /// <summary>The slave has several jobs, and tells that its worker has not begun all of them.</summary>
    public bool HasUnbegun =>
        slave.Load + Count > 1 && !slave.IsEnding && slave.Link.TellsBegun && slave.Channels.Last > slave.Link.Begun;

    /// <summary>The number of those jobs, as far as the worker's word goes.</summary>
    public int Unbegun => (int)Math.Min(slave.Channels.Last - Math.Min(slave.Link.Begun, slave.Channels.Last), (ulong)slave.Channels.Count);

    /// <summary>
    /// The worker was busy within one job at the last look, while others on it wait. The slave gets no more until it shows that it goes on.
    /// Only <see cref="Pools.HeldUpSlaves"/> sets this, and an end of a job unsets it.
    /// </summary>
    public bool IsHeldUp { get; set; }

    /// <summary>Looks whether the worker has begun anything since the last look, or ended anything lately.</summary>
    public void LookForStall()
    {
        long nowNs = slave.Scope.Loop.NowNs;
        ulong begun = slave.Link.Begun;
        bool stands = begun == _begunAtLook && _stoodAtLook && nowNs - _pace.LastNs >= EngineLimits.MostStandingMs * Clock.NsPerMs;
        _stoodAtLook = HasUnbegun;
        if (stands && _stoodAtLook)
        {
            IsHeldUp = true;
            _heldUpNs = nowNs;
        }
        else if (begun != _begunAtLook || nowNs - _heldUpNs > EngineLimits.HeldUpNs)
        {
            IsHeldUp = false;
        }

        _begunAtLook = begun;
    }

    /// <summary>The slave had no job until now.</summary>
    public void OnBusy() => _pace.Begin(slave.Scope.Loop.NowNs);

    /// <summary>A job has ended.</summary>
    public void OnEnd()
    {
        IsHeldUp = false;
        _pace.OnEnd(slave.Scope.Loop.NowNs);
    }

    /// <summary>Puts a job whose request is whole into the slave's ring.</summary>
    public void Place(Job job)
    {
        Debug.Assert(job is { RequestEnded: true, IsSuspect: false });
        job.Runner = slave;
        job.PlacedNs = slave.Scope.Loop.NowNs;
        job.AwaitedSinceMs = slave.Scope.Loop.ListenedMs;
        job.MoveTo(JobState.Placed);
        slave.Scope.Records.Ledger.Placed(job.Id, slave.ShortNumber);
        _placed.AddLast(job);
        Count++;
        _sizeBytes += job.Request.SizeBytes;
        slave.Channels.Add(job);
        slave.Channels.Invoke(job);
        if (!IsArmed)
        {
            ArmFor(job);
        }
    }

    /// <summary>A job that ran has ended: the worker goes on with the oldest placed one.</summary>
    public void BeginNext()
    {
        if (_placed.First is { } next)
        {
            Begin(next);
        }
    }

    /// <summary>The worker has begun a placed job, or does so now.</summary>
    public void Begin(Job job)
    {
        Remove(job);
        job.Engine.OnBegun(job);
        CountRun(job);
    }

    /// <summary>A job begins to run, as far as the node knows.</summary>
    public void CountRun(Job job)
    {
        EngineScope scope = slave.Scope;
        job.Runs++;
        job.DispatchedNs = scope.Loop.NowNs;
        job.AwaitedSinceMs = scope.Loop.ListenedMs;
        long stoodNs = job.State == JobState.Placed ? job.DispatchedNs - job.PlacedNs : -1;
        job.MoveTo(JobState.Running);
        scope.Records.Ledger.Dispatched(job.Id, job.DispatchedNs, slave.ShortNumber, job.Runs, stoodNs);
    }

    /// <summary>Takes all placed jobs back, but for those that the worker has begun by now.</summary>
    /// <returns>How many were taken.</returns>
    public int TakeBack() => _placed.First is { } first ? TakeBack(first) : 0;

    /// <summary>Takes all placed jobs back, and tells the owner that other slaves may have room for them.</summary>
    public void Return()
    {
        if (TakeBack() > 0)
        {
            owner.OnTakenBack();
        }
    }

    /// <summary>Takes a placed job back, and those that were placed after it, unless the worker has begun them by now.</summary>
    /// <returns>How many were taken.</returns>
    public int TakeBack(Job first)
    {
        if (_placed.Last!.SlaveChannel <= slave.Link.Begun)
        {
            return 0;
        }

        ulong from = Recall(first.SlaveChannel);
        int taken = 0;
        while (_placed.Last is { } last && last.SlaveChannel >= from)
        {
            Remove(last);
            GiveBack(last);
            taken++;
        }

        return taken;
    }

    /// <summary>
    /// Takes back the jobs that the worker has not begun, or half of them, whether they are placed or run as the node knows; the newest
    /// first. A job whose request is not whole, not kept, or not taken by the slave yet stays, and with it those before it.
    /// </summary>
    /// <returns>How many were taken.</returns>
    public int TakeBackUnbegun(bool onlyHalf)
    {
        List<Job> jobs = slave.Channels.ToList();
        ulong begun = slave.Link.Begun;
        int first = jobs.Count;
        while (first > 0 && jobs[first - 1].SlaveChannel > begun && CanBeTaken(jobs[first - 1]))
        {
            first--;
        }

        first = onlyHalf ? jobs.Count - ((jobs.Count - first + 1) / 2) : Math.Max(first, 1); // the slave is busy: one stays
        if (first == jobs.Count)
        {
            return 0;
        }

        ulong from = Recall(jobs[first].SlaveChannel);
        int taken = 0;
        for (int i = jobs.Count - 1; i >= first && jobs[i].SlaveChannel >= from; i--, taken++)
        {
            if (jobs[i].State == JobState.Placed)
            {
                Remove(jobs[i]);
            }

            GiveBack(jobs[i]);
        }

        // Places of jobs that were to run and are taken are those of the oldest placed ones, which the worker begins as soon.
        while (_placed.First is { } next && slave.Load < slave.Concurrency)
        {
            Begin(next);
        }

        slave.EndIfOver(); // those that are left may be abandoned
        return taken;
    }

    /// <summary>
    /// Takes the jobs that leave with the slave, the oldest first. Those that the worker had not begun wait again, as if they had never
    /// been here. When it had begun none, the next one may have ended it all the same: it is spared a few times only.
    /// </summary>
    /// <param name="begun">How many of them the worker had begun, or cannot be run again: one of them may be the cause.</param>
    /// <param name="suspects">How many of these are suspects for which the slave was kept.</param>
    public List<Job> TakeLost(out int begun, out int suspects)
    {
        List<Job> jobs = slave.Channels.TakeAll();
        Clear();
        ulong last = slave.Link.Begun;
        bool MayBeCause(Job job) => job.SlaveChannel <= last || (!job.IsAnswered && !job.Request.IsWhole);
        begun = jobs.Count(MayBeCause);
        Job? charged = begun == 0 ? jobs.Find(job => !job.IsAnswered) : null;
        if (charged is not null && ++charged.Reprieves <= EngineLimits.MostReprieves)
        {
            charged = null;
        }

        begun += charged is null ? 0 : 1;
        suspects = jobs.Count(job => slave.Solo.IsFor(job) && (job == charged || MayBeCause(job)));
        for (int i = jobs.Count - 1; i >= 0; i--)
        {
            Job job = jobs[i];
            if (job.SlaveChannel > last && !job.IsAnswered && job.Request.IsWhole && job != charged)
            {
                job.Runner = null;
                job.Engine.OnTakenBack(job);
                jobs.RemoveAt(i);
            }
            else if (job.State == JobState.Placed)
            {
                job.Engine.OnBegun(job);
                CountRun(job);
            }
        }

        return jobs;
    }

    /// <summary>The job that was the oldest when the watch began may have left since.</summary>
    public override void OnDue(long nowMs)
    {
        if (_placed.First is { } oldest)
        {
            if (nowMs < DueMsOf(oldest))
            {
                ArmFor(oldest);
                return;
            }

            if (slave.Link.Begun < oldest.SlaveChannel - 1) // the job that should run before it is not begun
            {
                _pace.OnAsleep();
            }
            else
            {
                _pace.OnStood(slave.Scope.Loop.NowNs);
            }

            TakeBack();
            owner.OnStoodTooLong(slave);
        }
    }

    private static bool CanBeTaken(Job job) => job.State is JobState.Placed or JobState.Running
        && job is { RequestEnded: true, IsSuspect: false, UnderPressure: false, Request.IsWhole: true };

    /// <summary>Begins a recall, and says from which channel on, at least this one, jobs are the node's again.</summary>
    private ulong Recall(ulong first)
    {
        int count = slave.Link.BeginRecall(out ulong begun);
        ulong from = Math.Max(first, Math.Min(begun, slave.Channels.Last) + 1); // the worker may have stored any number
        MessageWriter.WriteRecall(slave.Link.Sink, count, from);
        slave.Link.Flush();
        slave.Scope.Counters.Recalls++;
        return from;
    }

    private void Clear()
    {
        slave.Scope.Loop.Timers.Cancel(this);
        while (_placed.First is { } job)
        {
            Remove(job);
        }
    }

    private void Remove(Job job)
    {
        _placed.Remove(job);
        Count--;
        _sizeBytes -= job.Request.SizeBytes;
    }

    /// <summary>The worker does not begin the job: the job waits again.</summary>
    private void GiveBack(Job job)
    {
        slave.Channels.Drop(job);
        job.Runner = null;
        job.Engine.OnTakenBack(job);
    }

    private void ArmFor(Job job) => slave.Scope.Loop.Timers.Arm(this, DueMsOf(job));

    // One more than the bound: it has passed for sure, whatever part of its millisecond was over.
    private static long DueMsOf(Job job) => Clock.MsOf(job.PlacedNs) + EngineLimits.MostStandingMs + 1;
}
