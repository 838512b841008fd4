using System.Diagnostics;
using System.Globalization;
using Cocaine.Fast.Core.Engine.Handling;
using Cocaine.Fast.Core.Engine.Recycling;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Engine;

/// <summary>
/// One slave as the engine sees it: its state, its channels with the jobs on them, and the watch over its silence. Lives on the
/// engine's loop.
/// </summary>
internal sealed class Slave : WheelTimer
{
    /// <summary>The node's own channel on every worker connection: heartbeats and terminate.</summary>
    private const ulong ControlChannel = 1;

    private readonly AppEngine _engine;
    private readonly ChannelTable<Job> _channels = new();
    private ulong _lastChannel = ControlChannel;
    private List<Job> _pressed = []; // jobs whose callers wait for room
    private List<Job> _eased = [];   // empty but while those are told that there is some
    private int _stalled;      // callers that hold this slave's answers back
    private int _capacity;     // jobs it may have at once; 0 once it was retired
    private string? _retired;  // why it ends when it has no jobs any more; valid in Busy
    private bool _condemned;   // it is being killed: what it still says counts, but it gets no more jobs

    public Slave(AppEngine engine, ulong generation)
    {
        _engine = engine;
        Generation = generation;
        Uuid = Guid.NewGuid().ToString();
        ShortNumber = uint.Parse(ShortId, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        StartedMs = LastHeardMs = engine.Loop.NowMs;
        _capacity = engine.Settings.Concurrency;
        Wear = WearLimits.For(engine.Settings, generation, StartedMs);
        engine.Loop.Timers.Arm(this, StartedMs + engine.Settings.StartupTimeoutMs);
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

    /// <summary>When its last message came.</summary>
    public long LastHeardMs { get; private set; }

    /// <summary>When it became idle last. Valid in Idle.</summary>
    public long IdleSinceMs { get; private set; }

    /// <summary>Jobs on it, those that were answered and whose channel the worker has not closed yet included.</summary>
    public int Load => _channels.Count;

    /// <summary>The jobs that <see cref="Load"/> counts; a copy, not for each job.</summary>
    public IReadOnlyList<Job> Jobs => _channels.ToList();

    public long JobsDone { get; private set; }

    /// <summary>What it may do before it is replaced.</summary>
    public WearLimits Wear { get; }

    /// <summary>Why it is to be replaced. Valid in Idle and Busy.</summary>
    public WearReason Worn { get; set; }

    /// <summary>Its resident memory when it was looked at last, bytes; 0 without engine.max-rss.</summary>
    public long RssBytes { get; set; }

    /// <summary>When its memory was looked at last, ms. The recycler's own.</summary>
    public long RssReadMs { get; set; }

    /// <summary>Its place in the pool's lists. The pool's own.</summary>
    internal PoolPlace Place;

    /// <summary>It gets no more jobs, and ends when it has none.</summary>
    public bool IsRetired => _capacity == 0;

    /// <summary>True when it can take one more job.</summary>
    public bool HasRoom => State is SlaveState.Idle or SlaveState.Busy && !_condemned && _stalled == 0 && Load < _capacity;

    /// <summary>Its answers are not read, because its only caller is slower than it is.</summary>
    public bool IsHeldBack => _stalled > 0;

    public void Launch(ISlaveBackend backend) => Link = backend.Launch(this);

    /// <summary>
    /// Gives it a job. The request so far follows; the rest goes on by <see cref="WriteChunk"/> and <see cref="EndRequest"/>.
    /// </summary>
    public void Run(Job job)
    {
        Debug.Assert(HasRoom);
        job.Slave = this;
        job.SlaveChannel = ++_lastChannel;
        job.NodeSideEnded = job.CancelSent = false;
        job.Runs++;
        job.DispatchedTicks = _engine.Loop.NowTicks;
        job.MoveTo(JobState.Running);
        _engine.Records.Ledger.Dispatched(job.Id, job.DispatchedTicks, ShortNumber, job.Runs);
        _channels.Add(job.SlaveChannel, job);
        if (State == SlaveState.Idle)
        {
            // silence counts from the dispatch on, not from an idle hour before
            LastHeardMs = Math.Max(LastHeardMs, _engine.Loop.NowMs - 1);
            MoveTo(SlaveState.Busy);
        }

        MessageWriter.WriteInvoke(Link.Sink, job.SlaveChannel, job.Event, job.Request.Headers);
        foreach (ReadOnlySpan<byte> chunk in job.Request)
        {
            MessageWriter.WriteChunk(Link.Sink, job.SlaveChannel, new Payload(chunk), Link.PeerSpeaksBin);
        }

        if (job.RequestEnded)
        {
            EndRequest(job);
        }

        Link.Flush();
        _engine.Pool.Moved(this);
    }

    /// <summary>More of a request.</summary>
    public void WriteChunk(Job job, in Payload chunk)
    {
        if (!job.NodeSideEnded)
        {
            MessageWriter.WriteChunk(Link.Sink, job.SlaveChannel, chunk, Link.PeerSpeaksBin);
            Link.Flush();
        }
    }

    /// <summary>The end of a request.</summary>
    public void EndRequest(Job job)
    {
        if (!job.NodeSideEnded)
        {
            job.NodeSideEnded = true;
            MessageWriter.WriteClose(Link.Sink, job.SlaveChannel);
            Link.Flush();
        }
    }

    /// <summary>Tells the worker that its answer is not wanted any more; the channel stays until the worker has closed its side.</summary>
    public void Cancel(Job job, in JobError error)
    {
        // After our close an old worker would take an error for a broken protocol; one of ours takes it for the cancel that it is.
        if (!job.CancelSent && (!job.NodeSideEnded || Link.PeerSpeaksBin))
        {
            job.NodeSideEnded = job.CancelSent = true;
            MessageWriter.WriteError(Link.Sink, job.SlaveChannel, error.Category, error.Code, error.Reason);
            Link.Flush();
        }
    }

    /// <summary>The worker has shaken hands and its code is loaded.</summary>
    public void OnReady()
    {
        if (State == SlaveState.Starting && !_condemned)
        {
            LastHeardMs = IdleSinceMs = _engine.Loop.NowMs;
            MoveTo(SlaveState.Idle);
            _engine.Loop.Timers.Arm(this, LastHeardMs + _engine.Settings.HeartbeatTimeoutMs);
            _engine.Pool.OnSlaveReady(this);
        }
    }

    /// <summary>
    /// A message of the worker. False when it breaks the protocol: <paramref name="fault"/> says how and the slave must be killed.
    /// </summary>
    public bool OnMessage(in MessageView message, out string? fault)
    {
        fault = null;
        LastHeardMs = _engine.Loop.NowMs;
        ref readonly MessageLayout layout = ref message.Layout;
        if (_channels.TryGet(layout.Channel, out Job? job))
        {
            switch (layout.Type)
            {
                case 0 when layout.Shape == ArgumentShape.Data:
                    JobAnswers.OnChunk(job, message.Data);
                    return true;
                case 1 when layout.Shape == ArgumentShape.Error:
                    End(job, failed: true, new JobError(layout.Category, layout.Code, message.Text));
                    return true;
                case 2:
                    End(job, failed: false, default);
                    return true;
                default:
                    fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on channel {layout.Channel}";
                    return false;
            }
        }

        return layout.Channel == ControlChannel ? OnControl(in layout, out fault) : OnLate(in layout, out fault);
    }

    /// <summary>The slave made room after its backlog was over the bound.</summary>
    public void OnRoom()
    {
        if (_pressed.Count == 0)
        {
            return;
        }

        // The other list from here on: a caller that reads on at once may bring this very slave under pressure again.
        (_pressed, _eased) = (_eased, _pressed);
        foreach (Job job in _eased)
        {
            if (job.UnderPressure) // else it ended while others were told
            {
                job.UnderPressure = false;
                job.Caller?.OnRequestPressure(job, false);
            }
        }

        _eased.Clear();
    }

    /// <summary>The job's request comes faster than the slave takes it: its caller is asked to wait until <see cref="OnRoom"/>.</summary>
    public void Press(Job job)
    {
        job.UnderPressure = true;
        _pressed.Add(job);
        job.Caller?.OnRequestPressure(job, true);
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
        _engine.Loop.Timers.Cancel(this);
        List<Job> jobs = _channels.TakeAll();
        _engine.Pool.OnSlaveDead(this, before, cause);

        // One that was told to end did not die of its jobs.
        SlaveDeath? death = jobs.Count > 0 && before != SlaveState.Draining ? new SlaveDeath(ShortId, cause, Link.LastLines) : null;

        // Newest first, each to the queue's front: so the oldest stands first again.
        for (int i = jobs.Count - 1; i >= 0; i--)
        {
            _engine.Answers.OnSlaveLost(jobs[i], cause, death);
        }

        _engine.Pool.Feed(); // another one may have room for what came back
        _engine.Pool.Grow();
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
        _engine.Loop.Timers.Arm(this, _engine.Loop.NowMs + _engine.Settings.TerminationTimeoutMs);
    }

    /// <summary>Gives it no more jobs, and asks it to end when it has none.</summary>
    public void Retire(string reason)
    {
        if (State == SlaveState.Idle)
        {
            Terminate(reason);
        }
        else if (State == SlaveState.Busy)
        {
            _capacity = 0;
            _retired = reason;
            _engine.Pool.Moved(this);
        }
    }

    /// <summary>Takes the place of an idle slave: it counts as idle since that one was.</summary>
    public void ContinueIdleness(Slave other) => IdleSinceMs = other.IdleSinceMs;

    /// <summary>
    /// A caller is slower than this slave. When it is the only one, the slave itself is held back; else its answers are buffered.
    /// </summary>
    public bool HoldBack()
    {
        if (Load > 1)
        {
            return false;
        }

        if (_stalled++ == 0)
        {
            Link.PauseReading();
            _engine.Pool.Moved(this);
        }

        return true;
    }

    public void LetGo()
    {
        if (_stalled > 0 && --_stalled == 0 && State != SlaveState.Dead)
        {
            LastHeardMs = _engine.Loop.NowMs; // it could not be heard meanwhile
            Link.ResumeReading();
            _engine.Pool.Moved(this);
            _engine.Pool.Feed();
        }
    }

    /// <summary>Answers every job on it, or those that are meant, with an error of ours.</summary>
    public void FailAll(int code, string reason, Predicate<Job>? isMeant = null)
    {
        foreach (Job job in Jobs)
        {
            if (isMeant is null || isMeant(job))
            {
                _engine.Fail(job, code, reason);
            }
        }
    }

    /// <inheritdoc/>
    public override void OnDue(long nowMs)
    {
        switch (State)
        {
            case SlaveState.Starting:
                _engine.Counters.StartupTimeouts++;
                Link.Kill($"not ready within the startup-timeout of {_engine.Settings.StartupTimeoutMs} ms");
                break;
            case SlaveState.Draining:
                Link.Kill($"did not end within the termination-timeout of {_engine.Settings.TerminationTimeoutMs} ms");
                break;
            case SlaveState.Idle or SlaveState.Busy:
                SilenceWatch.Check(this, nowMs);
                break;
        }
    }

    private void End(Job job, bool failed, in JobError error)
    {
        _channels.Remove(job.SlaveChannel, out _);
        if (job.UnderPressure)
        {
            job.UnderPressure = false;
            _pressed.Remove(job);
        }

        if (++JobsDone == Wear.Jobs)
        {
            _engine.Pool.Recycler.OnWorn(this, WearReason.Jobs);
        }

        EndRequest(job); // our side is owed too, or the worker keeps the channel for ever
        _engine.Answers.OnEnd(job, failed, in error);
        if (_channels.Count == 0 && State == SlaveState.Busy)
        {
            IdleSinceMs = _engine.Loop.NowMs;
            MoveTo(SlaveState.Idle);
            if (_retired is not null)
            {
                Terminate(_retired);
            }
        }

        _engine.Pool.Freed(this);
    }

    private bool OnControl(in MessageLayout layout, out string? fault)
    {
        fault = null;
        switch (layout.Type)
        {
            case 0 when layout.ArgumentCount == 0:
                _engine.Counters.HeartbeatsSeen++;
                MessageWriter.WriteHeartbeat(Link.Sink);
                Link.Flush();
                _engine.Pool.Recycler.OnHeartbeat(this);
                return true;
            case 1:
                // The worker wants to go, or echoes our terminate: it gets no more jobs and its end is awaited.
                Terminate("the worker asked to end");
                return true;
            default:
                fault = $"a message of type {layout.Type} with {layout.ArgumentCount} arguments on the control channel";
                return false;
        }
    }

    private bool OnLate(in MessageLayout layout, out string? fault)
    {
        fault = layout.Channel <= _lastChannel && layout.Type <= 2 ? null
            : $"a message on channel {layout.Channel}, which was never opened";
        return fault is null;
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

        _engine.Pool.Count(State, next);
        State = next;
        if (Link is not null)
        {
            _engine.Pool.Moved(this);
        }
    }
}
