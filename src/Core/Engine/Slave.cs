using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Core.Engine.Channels;
using Cocaine.Fast.Core.Engine.Handling;
using Cocaine.Fast.Core.Engine.Recycling;
using Cocaine.Fast.Core.Engine.Suspects;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// One slave as the engine sees it: its state, from its launch to its death. The jobs on it are in <see cref="Channels"/>. Lives on
/// the engine's loop.
/// </summary>
internal sealed class Slave : WheelTimer
{
    private readonly AppEngine _engine;
    private int _capacity;     // jobs it may have at once; 0 once it was retired
    private string? _retired;  // why it ends when it has no jobs to wait for any more; valid in Busy
    private bool _condemned;   // it is being killed: what it still says counts, but it gets no more jobs
    private bool _hung;        // it is killed for a job that hung, and that has its answer: those beside it are not suspected
    private string? _launchFailure; // why it could not be launched; valid in Starting and Draining, where its timer ends it

    public Slave(AppEngine engine, ulong generation)
    {
        _engine = engine;
        Channels = new SlaveChannels(this);
        Answers = new AnswerHold(this);
        Generation = generation;
        Uuid = Guid.NewGuid().ToString();
        ShortNumber = uint.Parse(ShortId, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        StartedMs = engine.Loop.NowMs;
        LastHeardMs = engine.Loop.ListenedMs;
        _capacity = engine.Settings.Concurrency;
        Wear = WearLimits.For(engine.Settings, generation, StartedMs);
        engine.Loop.Patience.Arm(this, LastHeardMs + engine.Settings.StartupTimeoutMs);
    }

    /// <summary>Counts an app's slaves, from 1.</summary>
    public ulong Generation { get; }

    public string Uuid { get; }

    /// <summary>The first part of the uuid: what logs call it.</summary>
    public string ShortId => Uuid[..8];

    /// <summary>The same as a number, for records.</summary>
    public uint ShortNumber { get; }

    public SlaveState State { get; private set; } = SlaveState.Starting;

    /// <summary>Valid from the launch on.</summary>
    public SlaveLink Link { get; private set; } = null!;

    public AppEngine Engine => _engine;

    public long StartedMs { get; }

    /// <summary>When it became ready. Valid from Idle on, and with <see cref="WasReady"/>.</summary>
    public long ReadyMs { get; private set; }

    /// <summary>It was ready once.</summary>
    public bool WasReady { get; private set; }

    /// <summary>It has sent a heartbeat, which a worker does before it reads its first job.</summary>
    public bool HasBeaten { get; internal set; }

    /// <summary>It asked to be ended, of its own accord. Valid in Draining and Dead.</summary>
    public bool AskedToEnd { get; private set; }

    /// <summary>It has shown that it can live: it has done a job, or was up for engine.min-uptime. Valid from Idle on.</summary>
    public bool IsProven => JobsDone > 0 || (WasReady && _engine.Loop.NowMs - ReadyMs >= _engine.Settings.MinUptimeMs);

    /// <summary>When its last message came, ms of the loop's listened time.</summary>
    public long LastHeardMs { get; private set; }

    /// <summary>When it became idle last. Valid in Idle.</summary>
    public long IdleSinceMs { get; private set; }

    /// <summary>Its jobs and what goes between them and the worker.</summary>
    public SlaveChannels Channels { get; }

    /// <summary>Callers that wait for it with their requests.</summary>
    public RequestPressure Requests { get; } = new();

    /// <summary>Callers that are slower than it is.</summary>
    public AnswerHold Answers { get; }

    /// <summary>Jobs on it, those that were answered and whose channel the worker has not closed yet included.</summary>
    public int Load => Channels.Count;

    public long JobsDone { get; private set; }

    /// <summary>What it may do before it is replaced.</summary>
    public WearLimits Wear { get; }

    /// <summary>Why it is to be replaced. Valid in Idle and Busy.</summary>
    public WearReason Worn { get; set; }

    /// <summary>A replacement is ready in its place. The recycler's own.</summary>
    public bool IsRelieved { get; set; }

    /// <summary>Its resident memory when it was looked at last, bytes; 0 without engine.max-rss.</summary>
    public long RssBytes { get; set; }

    /// <summary>When its memory was looked at last, ms. The recycler's own.</summary>
    public long RssReadMs { get; set; }

    /// <summary>Its place in the pool's lists. The pool's own.</summary>
    internal PoolPlace Place;

    /// <summary>It gets no more jobs, and ends when it has none to wait for.</summary>
    public bool IsRetired => _capacity == 0;

    /// <summary>It has been told to end, is being killed or is gone.</summary>
    public bool IsEnding => _condemned || State is SlaveState.Draining or SlaveState.Dead;

    /// <summary>It works on, but every place on it is that of an abandoned job: it can run nothing any more.</summary>
    public bool IsUseless => !IsRetired && !IsEnding && Channels.Abandoned >= _capacity;

    /// <summary>True when it can take one more job.</summary>
    public bool HasRoom => State is SlaveState.Idle or SlaveState.Busy && Solo == SoloStage.None && !_condemned && !Answers.IsHeldBack
        && Load < _capacity;

    /// <summary>Whether it is kept for a suspect. Valid in Idle and Busy.</summary>
    public SoloStage Solo { get; private set; }

    /// <summary>When it was cleared for a suspect last, ms; 0 for never. The suspects' own.</summary>
    internal long ClearedMs { get; set; }

    /// <summary>It is empty and may be given a suspect.</summary>
    public bool CanRunAlone => State == SlaveState.Idle && !IsRetired && !_condemned && !Answers.IsHeldBack;

    /// <summary>It will be empty once its jobs have ended, if it gets no more.</summary>
    public bool CanBeCleared => State == SlaveState.Busy && !IsRetired && !_condemned && !Answers.IsHeldBack && Channels.Abandoned == 0;

    /// <summary>
    /// Starts it. A launch that fails, however it does, is a start that failed: the slave dies of it in the loop's next turn, not within
    /// the call of whoever asked for a slave.
    /// </summary>
    public void Launch(ISlaveBackend backend)
    {
        try
        {
            Link = backend.Launch(this);
        }
        catch (Exception failure)
        {
            Link = new UnlaunchedLink(this);
            _launchFailure = $"it cannot be launched: {failure.Message}";
            _engine.Loop.Patience.Arm(this, _engine.Loop.ListenedMs); // the wheel that its timer is on
        }
    }

    /// <summary>Gives it a job, with the request so far; the rest goes on through its <see cref="Channels"/>.</summary>
    public void Run(Job job)
    {
        Debug.Assert(HasRoom || (Solo == SoloStage.Running && Load == 0));
        job.Slave = this;
        job.Runs++;
        job.DispatchedTicks = _engine.Loop.NowTicks;
        job.AwaitedSinceMs = _engine.Loop.ListenedMs;
        job.MoveTo(JobState.Running);
        _engine.Records.Ledger.Dispatched(job.Id, job.DispatchedTicks, ShortNumber, job.Runs);
        Channels.Add(job);
        if (State == SlaveState.Idle)
        {
            // silence counts from the dispatch on, not from an idle hour before
            LastHeardMs = Math.Max(LastHeardMs, _engine.Loop.ListenedMs - 1);
            MoveTo(SlaveState.Busy);
        }

        Channels.Invoke(job);
        _engine.Pool.Moved(this);
    }

    /// <summary>Gives it a suspect, and no other job until that has left.</summary>
    public void RunAlone(Job job)
    {
        MoveTo(SoloStage.Running);
        Run(job);
    }

    /// <summary>The worker has shaken hands and its code is loaded.</summary>
    public void OnReady()
    {
        if (State == SlaveState.Starting && !_condemned)
        {
            IdleSinceMs = ReadyMs = _engine.Loop.NowMs;
            LastHeardMs = _engine.Loop.ListenedMs;
            WasReady = true;
            MoveTo(SlaveState.Idle);
            _engine.Loop.Patience.Arm(this, SilenceWatch.NextLookMs(this));
            _engine.Pool.OnSlaveReady(this);
        }
    }

    /// <summary>
    /// A message of the worker. False when it breaks the protocol: <paramref name="fault"/> says how and the slave must be killed.
    /// </summary>
    public bool OnMessage(in MessageView message, out string? fault)
    {
        LastHeardMs = _engine.Loop.ListenedMs;
        return Channels.OnMessage(in message, out fault);
    }

    /// <summary>Its link is killing it; <see cref="OnDead"/> follows when it is gone.</summary>
    public void OnKilled()
    {
        _condemned = true;
        _engine.Pool.Moved(this);
    }

    /// <summary>The slave is gone. Its jobs are run again or fail with the cause.</summary>
    public void OnDead(string cause)
    {
        if (State == SlaveState.Dead)
        {
            return;
        }

        SlaveState before = State;
        MoveTo(SlaveState.Dead);
        _engine.Loop.Patience.Cancel(this);
        List<Job> jobs = Channels.TakeAll();
        _engine.Pool.OnSlaveDead(this, before, jobs.Count > 0, cause, JobNames.Suffix(jobs));

        // One that was told to end, or killed for a job that hung, did not die of its jobs.
        bool diedOfThem = jobs.Count > 0 && before != SlaveState.Draining && !_hung;
        SlaveLoss loss = new(ShortId, cause, jobs.Count, diedOfThem ? new SlaveDeath(ShortId, cause, Link.LastLines) : null);
        if (Solo == SoloStage.Running)
        {
            _engine.Suspects.OnRunOver();
        }

        if (loss.IsSuspicion)
        {
            _engine.Counters.UnprovenDeaths++;
            PoolLog.Suspects(_engine.Log, _engine.Name, ShortId, jobs.Count);
        }

        if (!diedOfThem)
        {
            jobs.Reverse(); // newest first, each to the queue's front: so the oldest stands first again
        }

        foreach (Job job in jobs)
        {
            _engine.Answers.OnSlaveLost(job, in loss);
        }

        _engine.Pool.Feed(); // another one may have room for what came back
        _engine.Pool.Grow();
        _engine.Suspects.Reserve();
    }

    /// <summary>
    /// Kills it for a job that hung and that has its answer, or for its silence: no other job on it is suspected of its death.
    /// </summary>
    public void KillHung(string reason)
    {
        _hung = true;
        Link.KillHung(reason);
    }

    /// <summary>Asks the slave to end; it is killed when it has not done so in time.</summary>
    public void Terminate(string reason)
    {
        if (State is SlaveState.Draining or SlaveState.Dead)
        {
            return;
        }

        if (State == SlaveState.Starting)
        {
            MoveTo(SlaveState.Draining);
            Link.Kill(reason);
            return;
        }

        MoveTo(SlaveState.Draining);
        MessageWriter.WriteTerminate(Link.Sink, 1, reason);
        Link.Flush();
        _engine.Loop.Patience.Arm(this, _engine.Loop.ListenedMs + _engine.Settings.TerminationTimeoutMs);
    }

    /// <summary>The worker wants to go, or echoes that it was told to: it gets no more jobs and its end is awaited.</summary>
    public void OnAsksToEnd()
    {
        if (State is SlaveState.Draining or SlaveState.Dead)
        {
            return;
        }

        AskedToEnd = true;
        Terminate("the worker asked to end");
        if (IsProven)
        {
            _engine.Pool.Grow(); // its place is free, however long its jobs take
        }
    }

    /// <summary>Gives it no more jobs, and asks it to end when it has none to wait for.</summary>
    public void Retire(string reason)
    {
        if (State == SlaveState.Idle)
        {
            Terminate(reason);
        }
        else if (State == SlaveState.Busy && !IsRetired)
        {
            _capacity = 0;
            _retired = reason;
            _engine.Pool.OnRetired();
            _engine.Pool.Moved(this);
            EndIfOver();
        }
    }

    /// <summary>Takes the place of an idle slave: it counts as idle since that one was.</summary>
    public void ContinueIdleness(Slave other) => IdleSinceMs = other.IdleSinceMs;

    /// <summary>It could not be heard for a while, and can again: that was not its silence.</summary>
    internal void OnHeardAgain() => LastHeardMs = _engine.Loop.ListenedMs;

    /// <summary>
    /// The worker has not closed the channel of an answered job in its time. The slave is replaced, and nobody waits for that job.
    /// </summary>
    public void Abandon(Job job)
    {
        Channels.Abandon(job);
        _engine.Counters.JobsAbandoned++;
        if (Solo != SoloStage.None)
        {
            MoveTo(SoloStage.None); // it will never be empty, and its other places are of use
        }

        if (IsRetired)
        {
            EndIfOver();
        }
        else
        {
            _engine.Pool.Recycler.OnAbandoned(this);
        }

        if (_engine.Queue.Count > 0)
        {
            _engine.Pool.Feed();
            _engine.Suspects.Reserve();
        }
    }

    /// <inheritdoc/>
    public override void OnDue(long listenedMs)
    {
        if (_launchFailure is { } cause)
        {
            OnDead(cause);
            return;
        }

        switch (State)
        {
            case SlaveState.Starting:
                _engine.Counters.StartupTimeouts++;
                Link.Kill($"not ready within the startup-timeout of {_engine.Settings.StartupTimeoutMs} ms");
                break;
            case SlaveState.Draining:
                KillHung($"did not end within the termination-timeout of {_engine.Settings.TerminationTimeoutMs} ms");
                break;
            case SlaveState.Idle or SlaveState.Busy:
                SilenceWatch.Check(this, listenedMs);
                break;
        }
    }

    /// <summary>The worker has ended its side of a job's channel: the job leaves.</summary>
    internal void OnEnd(Job job, bool failed, in JobError error)
    {
        Channels.Remove(job);
        Requests.Forget(job);
        if (++JobsDone == Wear.Jobs)
        {
            _engine.Pool.Recycler.OnWorn(this, WearReason.Jobs);
        }

        Channels.EndRequest(job); // our side is owed too, or the worker keeps the channel for ever
        _engine.Answers.OnEnd(job, failed, in error);
        if (Channels.Count == 0 && State == SlaveState.Busy)
        {
            IdleSinceMs = _engine.Loop.NowMs;
            MoveTo(SlaveState.Idle);
            if (Worn != WearReason.None)
            {
                _engine.Pool.Recycler.OnWornIdle();
            }
        }

        if (Solo == SoloStage.Running && Channels.Count == 0)
        {
            MoveTo(SoloStage.None);
            _engine.Suspects.OnRunOver();
        }

        EndIfOver();
        _engine.Pool.Freed(this);
    }

    /// <summary>A retired slave ends once nothing is left on it, or only what will never end by itself.</summary>
    private void EndIfOver()
    {
        if (_retired is not null && Channels.AreOver)
        {
            Terminate(_retired);
        }
    }

    /// <summary>The only transition of <see cref="Solo"/>.</summary>
    internal void MoveTo(SoloStage next)
    {
        bool legal = (Solo, next) switch
        {
            (SoloStage.None, not SoloStage.None) => true,
            (SoloStage.Clearing, SoloStage.Running or SoloStage.None) => true,
            (SoloStage.Running, SoloStage.None) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"slave {ShortId} cannot go from {Solo} to {next}");
        }

        Solo = next;
        _engine.Pool.Moved(this);
    }

    private void MoveTo(SlaveState next)
    {
        bool legal = (State, next) switch
        {
            (SlaveState.Starting, SlaveState.Idle or SlaveState.Draining) => true,
            (SlaveState.Idle, SlaveState.Busy or SlaveState.Draining) => true,
            (SlaveState.Busy, SlaveState.Idle or SlaveState.Draining) => true,
            (not SlaveState.Dead, SlaveState.Dead) => true,
            _ => false,
        };
        if (!legal)
        {
            throw new InvalidOperationException($"slave {ShortId} cannot go from {State} to {next}");
        }

        _engine.Pool.Count(this, next);
        State = next;
        if (Link is not null)
        {
            _engine.Pool.Moved(this);
        }
    }
}
