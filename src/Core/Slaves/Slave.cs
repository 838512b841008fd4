using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// A slave as the engine sees it: its state, from its launch to its death. The jobs on it are in <see cref="Channels"/>. A slave lives on
/// the engine's loop.
/// </summary>
internal sealed class Slave : WheelTimer, IJobRunner
{
    private readonly EngineScope _scope;
    private readonly ISlaveOwner _owner;
    private readonly AnswerHold _hold;
    private string? _retired;  // why the slave ends when it has no more jobs to wait for; valid in Busy
    private bool _condemned;   // the slave is being killed: its further messages count, but it gets no more jobs
    private bool _hung;        // the slave is killed for a hung job that already has its answer: the other jobs on it are not suspected
    private string? _launchFailure; // why the launch failed; valid in Starting and Draining, where the timer ends the slave

    /// <param name="scope">The parts of the engine that slaves use.</param>
    /// <param name="owner">Hears the slave's events.</param>
    /// <param name="generation">The slave's number among the app's slaves, from 1.</param>
    public Slave(EngineScope scope, ISlaveOwner owner, ulong generation)
    {
        _scope = scope;
        _owner = owner;
        Generation = generation;
        Uuid = Guid.NewGuid().ToString();
        ShortNumber = uint.Parse(ShortId, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        StartedMs = scope.Loop.NowMs;
        LastHeardMs = scope.Loop.ListenedMs;
        Concurrency = scope.Settings.Concurrency;
        Ahead = new JobsAhead(this, owner);
        Solo = new SoloKeep(scope, () => owner.OnMoved(this));
        _hold = new AnswerHold(Channels);
        Wear = new SlaveWear(WearLimits.For(scope.Settings, generation, StartedMs));
        scope.Loop.Patience.Arm(this, LastHeardMs + scope.Settings.StartupTimeoutMs);
    }

    /// <summary>The slave's number among the app's slaves, from 1.</summary>
    public ulong Generation { get; }

    public string Uuid { get; }

    /// <summary>The first part of the uuid: the slave's name in logs.</summary>
    public string ShortId => Uuid[..8];

    /// <summary><see cref="ShortId"/> as a number, for records.</summary>
    public uint ShortNumber { get; }

    public SlaveState State { get; private set; } = SlaveState.Starting;

    /// <summary>The way to the worker. Valid from the launch on.</summary>
    public SlaveLink Link { get; private set; } = null!;

    /// <summary>The parts of the engine that slaves use.</summary>
    public EngineScope Scope => _scope;

    public long StartedMs { get; }

    /// <summary>The time at which the slave became ready. Valid from Idle on, and with <see cref="WasReady"/>.</summary>
    public long ReadyMs { get; private set; }

    /// <summary>The slave was ready once.</summary>
    public bool WasReady { get; private set; }

    /// <summary>The worker has sent a heartbeat. A worker sends one before it reads its first job.</summary>
    public bool HasBeaten { get; private set; }

    /// <summary>The worker asked to end on its own wish. Valid in Draining and Dead.</summary>
    public bool AskedToEnd { get; private set; }

    /// <summary>
    /// The slave has shown that it can live: it has done a job, or has been up for engine.min-uptime. Valid from Idle on.
    /// </summary>
    public bool IsProven => JobsDone > 0 || (WasReady && _scope.Loop.NowMs - ReadyMs >= _scope.Settings.MinUptimeMs);

    /// <summary>The time of the worker's last message, ms of the loop's listened time.</summary>
    public long LastHeardMs { get; private set; }

    /// <summary>Begin of the present idle time. Valid in Idle.</summary>
    public long IdleSinceMs { get; private set; }

    /// <summary>The jobs that stand in the slave's ring ahead of their turn.</summary>
    public JobsAhead Ahead { get; }

    /// <summary>The slave's jobs and their messages to and from the worker.</summary>
    public SlaveChannels Channels { get; } = new();

    /// <summary>Callers that wait to send more of their requests to the slave.</summary>
    public RequestPressure Pressure { get; } = new();

    /// <summary>The node does not read the slave's answers, because the slave's only caller is slower than the slave.</summary>
    public bool IsHeldBack => _hold.IsHeldBack;

    /// <summary>
    /// The time at which the node began to read the slave's answers again, ms of the loop's listened time; 0 when it never stopped. Valid
    /// while the slave is not held back.
    /// </summary>
    public long ReleasedMs => _hold.ReleasedMs;

    /// <summary>Jobs that the slave runs, including answered ones with a channel that the worker has not closed yet.</summary>
    public int Load => Channels.Count - Ahead.Count;

    public long JobsDone { get; private set; }

    /// <summary>Why the slave ends; the first reason counts. Valid in Dead, and earlier when the node ends the slave.</summary>
    public SlaveEnd? End { get; set => field ??= value; }

    /// <summary>How worn the slave is.</summary>
    public SlaveWear Wear { get; }

    /// <summary>
    /// The slave's list in <see cref="Pools.SlaveLevels"/>; 0 means none. Only the levels use this property and the two neighbours.
    /// </summary>
    internal int Level { get; set; }

    /// <inheritdoc cref="Level"/>
    internal Slave? PreviousInLevel { get; set; }

    /// <inheritdoc cref="Level"/>
    internal Slave? NextInLevel { get; set; }

    /// <summary>The slave gets no more jobs, and ends when it has none to wait for.</summary>
    public bool IsRetired => _retired is not null;

    /// <summary>The most jobs that the slave runs at the same time; 0 once it was retired.</summary>
    public int Capacity => IsRetired ? 0 : Concurrency;

    /// <summary>The same, also of a retired slave: the manifest's, or the worker's wish. Final from Idle on.</summary>
    public int Concurrency { get; private set; }

    /// <summary>The slave is being killed: it gets no more jobs.</summary>
    public bool IsCondemned => _condemned;

    /// <summary>The slave has been told to end, is being killed, or is dead.</summary>
    public bool IsEnding => _condemned || State is SlaveState.Draining or SlaveState.Dead;

    /// <summary>Says whether the slave is kept for suspects. Valid in Idle and Busy.</summary>
    public SoloKeep Solo { get; }

    /// <summary>The slave was launched, and this link leads to it.</summary>
    public void OnLaunched(SlaveLink link) => Link = Channels.Link = link;

    /// <summary>
    /// The launch has failed, for any reason. The slave dies of the failure in the loop's next turn, not within the call that asked for a
    /// slave.
    /// </summary>
    public void OnLaunchFailed(string why)
    {
        OnLaunched(new UnlaunchedLink(OnKilled));
        _launchFailure = $"it cannot be launched: {why}";
        _scope.Loop.Patience.Arm(this, _scope.Loop.ListenedMs); // sets the wheel that the timer is on
    }

    /// <summary>Gives the slave a job with the request so far; the rest of the request goes through <see cref="Channels"/>.</summary>
    public void Run(Job job)
    {
        Debug.Assert(Load < Capacity || (Solo.Stage == SoloStage.Running && Load == 0));
        job.Runner = this;
        Ahead.CountRun(job);
        Channels.Add(job);
        if (State == SlaveState.Idle)
        {
            Ahead.OnBusy();

            // The silence counts from the dispatch on, and not from an idle hour before it.
            LastHeardMs = Math.Max(LastHeardMs, _scope.Loop.ListenedMs - 1);
            MoveTo(SlaveState.Busy);
        }

        Channels.Invoke(job);
        _owner.OnMoved(this);
    }

    /// <summary>Gives the slave a suspect, and no job but others of its group until they have left or have run for long.</summary>
    public void RunApart(Job job)
    {
        Solo.Run(job);
        Run(job);
    }

    /// <summary>The handshake is done, and the code loaded. The worker runs so many jobs at once; 0 = the manifest's number.</summary>
    public void OnReady(int concurrency = 0)
    {
        if (State == SlaveState.Starting && !_condemned)
        {
            _scope.Concurrency = Concurrency = concurrency > 0 ? concurrency : Concurrency;
            IdleSinceMs = ReadyMs = _scope.Loop.NowMs;
            LastHeardMs = _scope.Loop.ListenedMs;
            WasReady = true;
            MoveTo(SlaveState.Idle);
            _scope.Loop.Patience.Arm(this, SilenceLook.NextMs(LastHeardMs, _scope.Settings.HeartbeatTimeoutMs, LastHeardMs));
            _owner.OnReady(this);
        }
    }

    /// <summary>
    /// Handles a message of the worker. False when the message breaks the protocol: <paramref name="fault"/> says how, and the slave must
    /// be killed.
    /// </summary>
    public bool OnMessage(in MessageView message, out string? fault)
    {
        LastHeardMs = _scope.Loop.ListenedMs;
        WorkerMessage kind = Channels.Read(in message, out Job? job, out fault);
        if (job is { State: JobState.Placed } && kind is WorkerMessage.Chunk or WorkerMessage.Error or WorkerMessage.Close)
        {
            Ahead.Begin(job); // a worker speaks on the channel of a job that it has begun
        }

        switch (kind)
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
            case WorkerMessage.Hold or WorkerMessage.GoOn:
                job!.Engine.OnRequestHold(job, holds: kind == WorkerMessage.Hold);
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

    /// <summary>The link kills the slave; <see cref="OnDead"/> follows when the slave is gone.</summary>
    public void OnKilled()
    {
        End = State == SlaveState.Starting ? SlaveEnd.Start : SlaveEnd.Protocol; // or the node has set another one
        _condemned = true;
        _owner.OnMoved(this);
    }

    /// <summary>The slave is gone, perhaps by a signal. Its jobs run again or fail with the cause.</summary>
    public void OnDead(string cause, bool bySignal = false)
    {
        if (State == SlaveState.Dead)
        {
            return;
        }

        SlaveState before = State;
        End = before == SlaveState.Starting ? SlaveEnd.Start : bySignal ? SlaveEnd.Signal : SlaveEnd.Exit;
        MoveTo(SlaveState.Dead);
        _scope.Loop.Patience.Cancel(this);
        List<Job> jobs = Ahead.TakeLost(out int begun, out int suspects);

        // A slave that was told to end, or was killed for a job that hung, did not die of its jobs.
        bool diedOfThem = begun > 0 && before != SlaveState.Draining && !_hung;
        SlaveDeath? death = diedOfThem ? new SlaveDeath(ShortId, cause, Link.LastLines) : null;
        SlaveLoss loss = new(ShortId, cause, begun, Solo.Group, suspects, death);
        string names = JobNames.Suffix(jobs);

        // The newest job is the first. Usual jobs go to the queue's front one by one, so the oldest stands first again. Suspects go behind
        // each other: the newest runs first, because an older job has run for longer without a death.
        jobs.Reverse();
        _owner.OnDead(this, before, in loss, jobs, names);
    }

    /// <summary>
    /// Kills the slave for a hung job that already has its answer, or for the slave's silence. No other job on the slave is suspected of
    /// its death.
    /// </summary>
    public void KillHung(string reason, SlaveEnd end)
    {
        End = end;
        _hung = true;
        Link.KillHung(reason);
    }

    /// <summary>Asks the slave to end; a slave that does not end in time is killed.</summary>
    public void Terminate(string reason, SlaveEnd end)
    {
        if (State is SlaveState.Draining or SlaveState.Dead)
        {
            return;
        }

        End = end;
        if (State == SlaveState.Starting)
        {
            MoveTo(SlaveState.Draining);
            Link.Kill(reason);
            return;
        }

        int taken = Ahead.TakeBack();
        MoveTo(SlaveState.Draining);
        MessageWriter.WriteTerminate(Link.Sink, 1, reason);
        Link.Flush();
        _scope.Loop.Patience.Arm(this, _scope.Loop.ListenedMs + _scope.Settings.TerminationTimeoutMs);
        if (taken > 0)
        {
            _owner.OnTakenBack();
        }
    }

    /// <summary>
    /// The worker wants to end, or confirms that it was told to end. The slave gets no more jobs, and the pool waits for its end.
    /// </summary>
    public void OnAsksToEnd()
    {
        if (State is SlaveState.Draining or SlaveState.Dead)
        {
            return;
        }

        AskedToEnd = true;
        Terminate("the worker asked to end", SlaveEnd.Exit);
        if (IsProven)
        {
            _owner.OnLeaves(); // its place is free, however long its jobs take
        }
    }

    /// <summary>Gives the slave no more jobs, and asks it to end when it has no more jobs to wait for.</summary>
    public void Retire(string reason, SlaveEnd end)
    {
        if (State == SlaveState.Idle)
        {
            Terminate(reason, end);
        }
        else if (State == SlaveState.Busy && !IsRetired)
        {
            _retired = reason;
            End = end;
            _owner.OnRetired();
            _owner.OnMoved(this);
            Ahead.Return();
            EndIfOver();
        }
    }

    /// <summary>Takes the place of an idle slave: this slave counts as idle since the other one was.</summary>
    public void ContinueIdleness(Slave other) => IdleSinceMs = other.IdleSinceMs;

    /// <summary>
    /// The worker has not closed the channel of an answered job in time. The pool replaces the slave, and the slave does not wait for that
    /// job.
    /// </summary>
    public void Abandon(Job job)
    {
        if (Solo.IsFor(job))
        {
            _ = Solo.Leave(); // the suspect never leaves, and the slave's other places are of use
        }

        Channels.Abandon(job);
        _scope.Counters.JobsAbandoned++;
        if (Channels.Abandoned >= Capacity)
        {
            Ahead.Return();
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
                KillHung($"did not end within the termination-timeout of {_scope.Settings.TerminationTimeoutMs} ms", SlaveEnd.Hung);
                break;
            case SlaveState.Idle or SlaveState.Busy:
                _owner.OnSilenceDue(this, listenedMs);
                break;
        }
    }

    /// <inheritdoc/>
    public bool HoldBack(ulong channel, bool alone = false)
    {
        bool holds = _hold.TryHold(channel, Load, jobOnly: alone && Concurrency > 1, out bool holdsAll);
        if (holdsAll)
        {
            _owner.OnMoved(this);
            Ahead.Return(); // the jobs behind would wait for this caller too
        }

        return holds;
    }

    /// <inheritdoc/>
    public void LetGo(ulong channel)
    {
        if (_hold.Release(channel, _scope.Loop.ListenedMs) && State != SlaveState.Dead)
        {
            LastHeardMs = _scope.Loop.ListenedMs; // the node did not let the slave speak for a while: the slave was not silent
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

    /// <summary>The worker has ended its side of a job's channel: the job leaves the slave.</summary>
    private void OnEnd(Job job, bool failed, in JobError error)
    {
        int group = Solo.IsFor(job) ? Solo.Group : 0;
        Channels.End(job);
        Pressure.Forget(job);
        Ahead.OnEnd();
        if (Load < Concurrency) // also in a retired slave: what stands there was begun by the worker, and could not be taken back
        {
            Ahead.BeginNext();
        }

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

        if (group != 0 && Solo.Group == group && Solo.Leave())
        {
            _owner.OnRunApartOver();
        }

        EndIfOver();
        _owner.OnFreed(this);
    }

    /// <summary>A retired slave ends once it has no jobs, or only jobs that will never end by themselves.</summary>
    internal void EndIfOver()
    {
        if (_retired is not null && Channels.AreOver)
        {
            Terminate(_retired, SlaveEnd.Recycled);
        }
    }

    private void MoveTo(SlaveState next)
    {
        if (!State.CanBecome(next))
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
