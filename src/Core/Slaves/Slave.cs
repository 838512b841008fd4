using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// A slave as the engine sees it: its state, from its launch to its death. The jobs on it are in <see cref="Channels"/>. Lives on
/// the engine's loop.
/// </summary>
internal sealed class Slave : WheelTimer, IJobRunner
{
    private readonly EngineScope _scope;
    private readonly ISlaveOwner _owner;
    private AnswerHold _hold;  // callers that are slower than it is
    private int _capacity;     // jobs it may have at once; 0 once it was retired
    private string? _retired;  // why it ends when it has no jobs to wait for any more; valid in Busy
    private bool _condemned;   // it is being killed: its further messages count, but it gets no more jobs
    private bool _hung;        // it is killed for a job that hung, and that has its answer: those beside it are not suspected
    private string? _launchFailure; // why it could not be launched; valid in Starting and Draining, where its timer ends it

    /// <param name="scope">The parts of the engine that slaves use.</param>
    /// <param name="owner">Hears its events.</param>
    /// <param name="generation">Its number among the app's slaves, from 1.</param>
    public Slave(EngineScope scope, ISlaveOwner owner, ulong generation)
    {
        _scope = scope;
        _owner = owner;
        Generation = generation;
        Uuid = Guid.NewGuid().ToString();
        ShortNumber = uint.Parse(ShortId, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        StartedMs = scope.Loop.NowMs;
        LastHeardMs = scope.Loop.ListenedMs;
        _capacity = scope.Settings.Concurrency;
        Wear = new SlaveWear(WearLimits.For(scope.Settings, generation, StartedMs));
        scope.Loop.Patience.Arm(this, LastHeardMs + scope.Settings.StartupTimeoutMs);
    }

    /// <summary>The slave's number among the app's slaves, from 1.</summary>
    public ulong Generation { get; }

    public string Uuid { get; }

    /// <summary>The first part of the uuid: its name in logs.</summary>
    public string ShortId => Uuid[..8];

    /// <summary>The same as a number, for records.</summary>
    public uint ShortNumber { get; }

    public SlaveState State { get; private set; } = SlaveState.Starting;

    /// <summary>Valid from the launch on.</summary>
    public SlaveLink Link { get; private set; } = null!;

    /// <summary>The parts of the engine that slaves use.</summary>
    public EngineScope Scope => _scope;

    public long StartedMs { get; }

    /// <summary>When the slave became ready. Valid from Idle on, and with <see cref="WasReady"/>.</summary>
    public long ReadyMs { get; private set; }

    /// <summary>The slave was ready once.</summary>
    public bool WasReady { get; private set; }

    /// <summary>The worker has sent a heartbeat, which it does before it reads its first job.</summary>
    public bool HasBeaten { get; private set; }

    /// <summary>The worker asked to end, of its own accord. Valid in Draining and Dead.</summary>
    public bool AskedToEnd { get; private set; }

    /// <summary>The slave has shown that it can live: it has done a job, or was up for engine.min-uptime. Valid from Idle on.</summary>
    public bool IsProven => JobsDone > 0 || (WasReady && _scope.Loop.NowMs - ReadyMs >= _scope.Settings.MinUptimeMs);

    /// <summary>When the worker's last message came, ms of the loop's listened time.</summary>
    public long LastHeardMs { get; private set; }

    /// <summary>Begin of the present idleness. Valid in Idle.</summary>
    public long IdleSinceMs { get; private set; }

    /// <summary>The slave's jobs and their messages to and from the worker.</summary>
    public SlaveChannels Channels { get; } = new();

    /// <summary>Callers that wait for the slave with their requests.</summary>
    public RequestPressure Pressure { get; } = new();

    /// <summary>The node does not read its answers: its only caller is slower than it is.</summary>
    public bool IsHeldBack => _hold.IsHeldBack;

    /// <summary>
    /// When its answers were last read again, ms of the loop's listened time; 0 when they always were. Valid while it is not held back.
    /// </summary>
    public long ReleasedMs => _hold.ReleasedMs;

    /// <summary>Jobs on it, those that were answered and whose channel the worker has not closed yet included.</summary>
    public int Load => Channels.Count;

    public long JobsDone { get; private set; }

    /// <summary>How worn it is.</summary>
    public SlaveWear Wear { get; }

    /// <summary>Its list in the pool's levels; 0 means none. The levels' own, as are its neighbours there.</summary>
    internal int Level { get; set; }

    /// <inheritdoc cref="Level"/>
    internal Slave? PreviousInLevel { get; set; }

    /// <inheritdoc cref="Level"/>
    internal Slave? NextInLevel { get; set; }

    /// <summary>The slave gets no more jobs, and ends when it has none to wait for.</summary>
    public bool IsRetired => _capacity == 0;

    /// <summary>The slave has been told to end, is being killed or is gone.</summary>
    public bool IsEnding => _condemned || State is SlaveState.Draining or SlaveState.Dead;

    /// <summary>The slave works on, but abandoned jobs have all of its places: it can run nothing any more.</summary>
    public bool IsUseless => !IsRetired && !IsEnding && Channels.Abandoned >= _capacity;

    /// <summary>The slave can take one more job.</summary>
    public bool HasRoom => (State is SlaveState.Idle or SlaveState.Busy) && Solo == SoloStage.None && !_condemned && !_hold.IsHeldBack
        && Load < _capacity;

    /// <summary>Whether it is kept for a suspect. Valid in Idle and Busy.</summary>
    public SoloStage Solo { get; private set; }

    /// <summary>When it was cleared for a suspect last, ms; 0 for never. The suspects' own.</summary>
    internal long ClearedMs { get; set; }

    /// <summary>The slave is empty and may be given a suspect.</summary>
    public bool CanRunAlone => State == SlaveState.Idle && !IsRetired && !_condemned && !_hold.IsHeldBack;

    /// <summary>The slave will be empty once its jobs have ended, if it gets no more.</summary>
    public bool CanBeCleared => State == SlaveState.Busy && !IsRetired && !_condemned && !_hold.IsHeldBack && Channels.Abandoned == 0;

    /// <summary>The slave was launched, with this link to it.</summary>
    public void OnLaunched(SlaveLink link) => Link = Channels.Link = link;

    /// <summary>
    /// The launch has failed, in whatever way. The slave dies of it in the loop's next turn, not within the call that asked for a
    /// slave.
    /// </summary>
    public void OnLaunchFailed(string why)
    {
        OnLaunched(new UnlaunchedLink(OnKilled));
        _launchFailure = $"it cannot be launched: {why}";
        _scope.Loop.Patience.Arm(this, _scope.Loop.ListenedMs); // the wheel that its timer is on
    }

    /// <summary>Gives it a job, with the request so far; the rest goes on through its <see cref="Channels"/>.</summary>
    public void Run(Job job)
    {
        Debug.Assert(HasRoom || (Solo == SoloStage.Running && Load == 0));
        job.Runner = this;
        job.Runs++;
        job.DispatchedNs = _scope.Loop.NowNs;
        job.AwaitedSinceMs = _scope.Loop.ListenedMs;
        job.MoveTo(JobState.Running);
        _scope.Records.Ledger.Dispatched(job.Id, job.DispatchedNs, ShortNumber, job.Runs);
        Channels.Add(job);
        if (State == SlaveState.Idle)
        {
            // silence counts from the dispatch on, not from an idle hour before
            LastHeardMs = Math.Max(LastHeardMs, _scope.Loop.ListenedMs - 1);
            MoveTo(SlaveState.Busy);
        }

        Channels.Invoke(job);
        _owner.OnMoved(this);
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
            IdleSinceMs = ReadyMs = _scope.Loop.NowMs;
            LastHeardMs = _scope.Loop.ListenedMs;
            WasReady = true;
            MoveTo(SlaveState.Idle);
            _scope.Loop.Patience.Arm(this, SilenceWatch.NextLookMs(this));
            _owner.OnReady(this);
        }
    }

    /// <summary>
    /// A message of the worker. False when it breaks the protocol: <paramref name="fault"/> says how and the slave must be killed.
    /// </summary>
    public bool OnMessage(in MessageView message, out string? fault)
    {
        LastHeardMs = _scope.Loop.ListenedMs;
        switch (Channels.Read(in message, out Job? job, out fault))
        {
            case WorkerMessage.Chunk:
                job!.Engine.OnChunk(job, message.Data);
                return true;
            case WorkerMessage.Error:
                OnEnd(job!, failed: true, new JobError(message.Layout.Category, message.Layout.Code, message.Text));
                return true;
            case WorkerMessage.Close:
                OnEnd(job!, failed: false, default);
                return true;
            case WorkerMessage.Heartbeat:
                OnHeartbeat();
                return true;
            case WorkerMessage.AsksToEnd:
                OnAsksToEnd();
                return true;
            case WorkerMessage.Late:
                return true;
            default:
                return false;
        }
    }

    /// <summary>Its link is killing it; <see cref="OnDead"/> follows when it is gone.</summary>
    public void OnKilled()
    {
        _condemned = true;
        _owner.OnMoved(this);
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
        _scope.Loop.Patience.Cancel(this);
        List<Job> jobs = Channels.TakeAll();

        // A slave that was told to end, or killed for a job that hung, did not die of its jobs.
        bool diedOfThem = jobs.Count > 0 && before != SlaveState.Draining && !_hung;
        SlaveLoss loss = new(ShortId, cause, jobs.Count, diedOfThem ? new SlaveDeath(ShortId, cause, Link.LastLines) : null);
        string names = JobNames.Suffix(jobs);
        if (!diedOfThem)
        {
            jobs.Reverse(); // newest first, each to the queue's front: so the oldest stands first again
        }

        _owner.OnDead(this, before, in loss, jobs, names);
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
        _scope.Loop.Patience.Arm(this, _scope.Loop.ListenedMs + _scope.Settings.TerminationTimeoutMs);
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
            _owner.OnLeaves(); // its place is free, however long its jobs take
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
            _owner.OnRetired();
            _owner.OnMoved(this);
            EndIfOver();
        }
    }

    /// <summary>Takes the place of an idle slave: it counts as idle since that one was.</summary>
    public void ContinueIdleness(Slave other) => IdleSinceMs = other.IdleSinceMs;

    /// <summary>
    /// The worker has not closed the channel of an answered job in its time. The slave is replaced, and does not wait for that job.
    /// </summary>
    public void Abandon(Job job)
    {
        Channels.Abandon(job);
        _scope.Counters.JobsAbandoned++;
        if (Solo != SoloStage.None)
        {
            MoveTo(SoloStage.None); // it will never be empty, and its other places are of use
        }

        if (IsRetired)
        {
            EndIfOver();
        }

        _owner.OnAbandoned(this);
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
                _scope.Counters.StartupTimeouts++;
                Link.Kill($"not ready within the startup-timeout of {_scope.Settings.StartupTimeoutMs} ms");
                break;
            case SlaveState.Draining:
                KillHung($"did not end within the termination-timeout of {_scope.Settings.TerminationTimeoutMs} ms");
                break;
            case SlaveState.Idle or SlaveState.Busy:
                SilenceWatch.Check(this, listenedMs);
                break;
        }
    }

    /// <summary>A caller is slower than this slave. When it is the only one, the slave itself is held back.</summary>
    public bool HoldBack()
    {
        if (Load > 1)
        {
            return false;
        }

        if (_hold.Add())
        {
            Link.PauseReading();
            _owner.OnMoved(this);
        }

        return true;
    }

    /// <inheritdoc/>
    public void LetGo()
    {
        if (_hold.Remove(_scope.Loop.ListenedMs) && State != SlaveState.Dead)
        {
            LastHeardMs = _scope.Loop.ListenedMs; // it could not be heard for a while: that was not its silence
            Link.ResumeReading();
            _owner.OnMoved(this);
            _owner.OnHeardAgain();
        }
    }

    private void OnHeartbeat()
    {
        _scope.Counters.HeartbeatsSeen++;
        HasBeaten = true;
        MessageWriter.WriteHeartbeat(Link.Sink);
        Link.Flush();
        _owner.OnHeartbeat(this);
    }

    /// <summary>The worker has ended its side of a job's channel: the job leaves.</summary>
    private void OnEnd(Job job, bool failed, in JobError error)
    {
        Channels.End(job);
        Pressure.Forget(job);
        if (++JobsDone == Wear.Limits.Jobs)
        {
            _owner.OnWorn(this, WearReason.Jobs);
        }

        job.Engine.OnEnd(job, failed, in error);
        if (Channels.Count == 0 && State == SlaveState.Busy)
        {
            IdleSinceMs = _scope.Loop.NowMs;
            MoveTo(SlaveState.Idle);
            if (Wear.Reason != WearReason.None)
            {
                _owner.OnWornIdle();
            }
        }

        if (Solo == SoloStage.Running && Channels.Count == 0)
        {
            MoveTo(SoloStage.None);
            _owner.OnRunAloneOver();
        }

        EndIfOver();
        _owner.OnFreed(this);
    }

    /// <summary>A retired slave ends once nothing is left on it, or only jobs that will never end by themselves.</summary>
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
        _owner.OnMoved(this);
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

        _owner.OnStateChanges(this, next);
        State = next;
        if (Link is not null)
        {
            _owner.OnMoved(this);
        }
    }
}
