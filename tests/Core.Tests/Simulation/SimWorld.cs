using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Engine;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>One engine with a virtual clock, scripted slaves and callers, and the model that watches. Everything follows from the seed.</summary>
internal sealed class SimWorld : IEngineLoop, ISlaveBackend
{
    /// <summary>Calls within calls at most: a caller that asks again from its outcome, which fails at once, and so on.</summary>
    private const int MaxDepth = 2;

    private readonly Dictionary<Slave, SimLink> _links = [];
    private readonly HashSet<Job> _jobs = [];
    private readonly List<string>? _trace;
    private Sabotage _sabotage;
    private int _depth;

    /// <param name="seed">Everything follows from it.</param>
    /// <param name="traced">Keep what happens as text.</param>
    /// <param name="sabotage">A fault to build in.</param>
    /// <param name="settings">Settings that are not random: for a test that knows what it wants.</param>
    public SimWorld(ulong seed, bool traced = false, Sabotage sabotage = Sabotage.None, EngineSettings? settings = null)
    {
        Random = new SimRandom(seed);
        _trace = traced ? [] : null;
        _sabotage = sabotage;
        Settings = settings ?? SimSettings.From(Random);
        StartsAtOnce = settings is null ? Random.Between(1, 4) : 4;
        ReentryPercent = settings is null && Random.Chance(30) ? Random.Between(5, 40) : 0;
        PoisonPercent = settings is null && Random.Chance(30) ? Random.Between(2, 30) : 0;
        TellsBegun = settings is null && Random.Chance(70);
        Cores = settings is null ? 1 + (int)(seed % 4) : 4;
        DeafPercent = settings is null && Random.Chance(40) ? Random.Between(20, 100) : 0;
        Wish = settings is null && TellsBegun && Settings.Concurrency == 1 && Random.Chance(40) ? Random.Between(2, 6) : 0;
        Task.JobTimeoutMs = Settings.JobTimeoutMs;
        Timers = new DeadlineWheel(0);
        Patience = new DeadlineWheel(0);
        Model = new JobModel(this, Settings);
        Starts = new StartModel(this);
        for (int i = 0; i < 3; i++)
        {
            Callers.Add(new SimCaller(this, i));
        }

        Note($"{Settings}");
        KeepsQuarantine = !Random.Chance(50);
        EngineRecords records = !KeepsQuarantine ? EngineRecords.None : new EngineRecords { Quarantine = new Quarantine(this) };
        Engine = new AppEngine("app", Settings, this, this, traced ? new TraceLog(this) : NullLogger.Instance, records);
        Engine.Start();
    }

    public SimRandom Random { get; }

    public EngineSettings Settings { get; }

    /// <summary>How often a caller does something from within a call of the engine.</summary>
    public int ReentryPercent { get; set; }

    /// <summary>Everything goes well from here on, and fast.</summary>
    public bool IsHealing { get; set; }

    /// <summary>How many requests kill whatever slave runs them.</summary>
    public int PoisonPercent { get; }

    /// <summary>Its slaves, but for old ones, tell what they have begun.</summary>
    public bool TellsBegun { get; }

    /// <summary>The concurrency that its slaves, which all tell what they have begun, wish for when they are ready; 0 = they do not.</summary>
    public int Wish { get; }

    /// <summary>What is measured of the requests.</summary>
    public TaskMonitor Task { get; } = new("task", sparse: true);

    /// <summary>The engine has a quarantine.</summary>
    public bool KeepsQuarantine { get; }

    /// <summary>How many of its slaves do not listen when a call is cancelled.</summary>
    public int DeafPercent { get; }

    public AppEngine Engine { get; }

    public JobModel Model { get; }

    public StartModel Starts { get; }

    public DeadlineWheel Timers { get; }

    public DeadlineWheel Patience { get; }

    public BlockPool Blocks { get; } = new();

    public long NowMs { get; private set; }

    public long NowNs => NowMs * 1_000_000;

    /// <summary>The engine's measure of what it has heard; with a sabotage it counts a time in which nobody could be heard.</summary>
    public long ListenedMs { get; private set; }

    /// <summary>Time that has passed while the node listened: what the model measures silence by.</summary>
    public long HeardMs { get; private set; }

    public List<SimCaller> Callers { get; } = [];

    /// <summary>Slaves that were launched and are not gone, in the order of their launch.</summary>
    public List<SimLink> Links { get; } = [];

    /// <summary>How often the engine said that it has stopped.</summary>
    public int Stopped { get; private set; }

    /// <summary>Slaves that died are being taken out: the queue's order is not whole.</summary>
    public bool InDeath { get; private set; }

    public IReadOnlyCollection<Job> Jobs => _jobs;

    public string Trace => _trace is null ? "" : string.Join('\n', _trace);

    /// <summary>Slaves that may be starting at a time.</summary>
    public int StartsAtOnce { get; }

    /// <summary>Cores of the machine.</summary>
    public int Cores { get; }

    /// <summary>Slaves that the node has room for besides those that live.</summary>
    public int Room { get; set; } = int.MaxValue;

    /// <summary>How often it had none for all that were wanted.</summary>
    public int RoomRefusals { get; private set; }

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        if (Room >= wanted)
        {
            return new SlaveRoom(wanted);
        }

        RoomRefusals++;
        return new SlaveRoom(Room, "the node is full");
    }

    public SlaveLink Launch(Slave slave)
    {
        Starts.OnLaunch(slave);
        Room -= Room == int.MaxValue ? 0 : 1;
        SimLink link = new(this, slave);
        Links.Add(link);
        _links.Add(slave, link);
        Note($"slave {slave.Generation} is launched");
        return link;
    }

    public SimLink LinkOf(Slave slave) => _links[slave];

    public void Note([System.Runtime.CompilerServices.InterpolatedStringHandlerArgument("")] ref NoteText text)
    {
        if (_trace is not null)
        {
            _trace.Add(string.Create(CultureInfo.InvariantCulture, $"{NowMs,8} ms  {text.ToStringAndClear()}"));
        }
    }

    /// <summary>True once, when the world is to have this fault.</summary>
    public bool Sabotages(Sabotage fault)
    {
        if (_sabotage != fault || fault == Sabotage.None)
        {
            return false;
        }

        _sabotage = Sabotage.None;
        return true;
    }

    /// <summary>The fault had no effect after all.</summary>
    public void TakeSabotageBack(Sabotage fault) => _sabotage = fault;

    public bool SabotageWasDone => _sabotage == Sabotage.None;

    /// <summary>A new request of some caller, whole or with its rest to come.</summary>
    public void Submit(SimCaller caller, bool whole) => Submit(caller, whole, SimSettings.Policy(Random));

    public void Submit(SimCaller caller, bool whole, JobPolicy policy)
    {
        SimRequest request = caller.Open(Model.All.Count, in policy, PoisonPercent > 0 && Random.Chance(PoisonPercent));
        Model.Add(request);
        byte[] name = Encoding.UTF8.GetBytes(request.Id.ToString(CultureInfo.InvariantCulture));
        int queued = Engine.Queue.Count - Engine.Queue.Suspects.Count;
        bool full = (Settings.QueueLimit > 0 && queued >= Settings.QueueLimit)
            || (Settings.QueueBytes > 0 && Engine.Queue.SizeBytes >= Settings.QueueBytes);
        Job? job = Engine.Submit(caller, request.Channel, Task, name, in policy, default, out JobRefusal refusal);
        if (job is null)
        {
            Note($"{request} of caller {caller.Number} is refused: {refusal.Code} {refusal.Reason}");
            Model.OnRefused(request);
            CheckRefusal(request, in refusal, full);
            return;
        }

        _jobs.Add(job);
        request.Job = job;
        Model.OnAccepted(request);
        Note($"{request} of caller {caller.Number} is accepted, {policy}");
        if (Random.Chance(80))
        {
            SendChunk(request);
        }

        if (whole)
        {
            EndRequest(request);
        }

        if (Settings.JobTimeoutMs > 0 && _depth == 0
            && request is { Phase: Phase.OnSlave, Link: { IsPaused: false, Channels.Count: 1, Ahead.Count: 0 } }
            && Sabotages(Sabotage.ForgetsRunLimit))
        {
            WaitInVain(request.Link, job, Settings.JobTimeoutMs);
        }
    }

    public void SendChunk(SimRequest request)
    {
        if (!request.IsOpen || request.Ended)
        {
            return;
        }

        bool large = Random.Below(2000) == 0;
        bool isPortion = request is { Phase: Phase.OnSlave, Link.HasFlow: true, SentBytes: < EngineLimits.MaxRetryRequestBytes / 2 } && Random.Chance(80);
        byte[] data = new byte[large ? EngineLimits.MaxRetryRequestBytes + 1 : isPortion ? EngineLimits.RequestPortionBytes : Label.SizeBytes];
        new Label(request.Id, 0, request.SentChunks).Write(data);
        request.SentChunks++;
        request.SentBytes += data.Length;
        request.TooLargeToKeep |= request.SentBytes > EngineLimits.MaxRetryRequestBytes && request.Phase == Phase.OnSlave;
        Engine.AddChunk(request.Job!, new Payload(data));
    }

    public void EndRequest(SimRequest request)
    {
        if (request.IsOpen && !request.Ended)
        {
            request.Ended = true;
            Engine.EndRequest(request.Job!);
            bool isSeen = request is { Phase: Phase.Placed, Link: { } link } && Engine.Pool.Roster.Idle == 0 && Settings.QueueTimeoutMs == 0
                && Settings is { MaxAgeMs: 0, JobTimeoutMs: 0 } && link.Channels.Concat(link.Ahead).All(channel => channel.Request.Policy is { DeadlineMs: 0, SilenceTimeoutMs: 0 })
                && link.Begun < link.Ahead[0].Number && !link.Slave.IsRetired;
            if (isSeen && Sabotages(Sabotage.ForgetsPlaced))
            {
                Timers.Cancel(request.Link!.Slave.Ahead);
                Pass(EngineLimits.MostStandingMs + 2);
                FireTimers();
                SimChecks.AfterTimers(this);
            }
        }
    }

    public void Cancel(SimRequest request)
    {
        Note($"{request} is cancelled");
        Job job = request.Job!;
        SimLink? link = request.Phase == Phase.OnSlave ? request.Link : null;
        Model.OnCancelled(request);
        Engine.Cancel(job, "gone"u8);
        if (link is { IsPaused: false, IsKilled: false, TerminateAsked: false, Channels.Count: 1, Ahead.Count: 0 }
            && Links.Count == 1 && !link.Channels[0].IsOver && Sabotages(Sabotage.ForgetsCancelled))
        {
            WaitInVain(link, job, Settings.HeartbeatTimeoutMs);
        }
    }

    /// <summary>All that happens while a slave should end a call, or the engine give it up, is that the slave beats.</summary>
    private void WaitInVain(SimLink link, Job job, long ms)
    {
        Timers.Cancel(job);
        Pass(ms);
        link.Heartbeat();
        FireTimers();
        SimChecks.AfterTimers(this);
    }

    /// <summary>Others may wait for the slave of a suspect: a sabotage then takes the engine's watch over the suspect away.</summary>
    public void TryKeepAlone()
    {
        const int NeededMs = 5000;
        bool isKept = Engine is { State: EngineState.Running, Queue.Unplaced: > 0 }
            && Links is [{ IsReady: true, IsPaused: false, IsKilled: false, Slave.Solo.Stage: SoloStage.Running }]
            && Links[0].Channels.TrueForAll(channel => channel.Request.Policy is { DeadlineMs: 0, SilenceTimeoutMs: 0 })
            && Settings is { QueueTimeoutMs: 0 or > NeededMs, JobTimeoutMs: 0 or > NeededMs, MaxAgeMs: 0 }
            && !Links[0].Channels.Exists(channel => channel.IsOver)
            && Model.Open.Exists(open => open is { Phase: Phase.Waiting, Policy.DeadlineMs: 0 });
        if (!isKept || !Sabotages(Sabotage.KeepsAlone))
        {
            return;
        }

        SimLink link = Links[0];
        Timers.Cancel(Engine.Suspects);
        for (int i = 0; i < 5 && Links.Contains(link); i++)
        {
            Pass(EngineLimits.MaxAloneMs / 4);
            link.Heartbeat();
            FireTimers();
            SimChecks.AfterTimers(this);
        }
    }

    /// <summary>Time passes while the node listens.</summary>
    public void Pass(long ms)
    {
        NowMs += ms;
        HeardMs += ms;
        ListenedMs += ms;
    }

    /// <summary>Time passes while the node sleeps and hears nobody.</summary>
    public void Stall(long ms)
    {
        NowMs += ms;
        bool isFatal = ms > Settings.HeartbeatTimeoutMs && Links.Exists(link => link.Channels.Count > 0 && !link.WasPaused && !link.IsKilled
            && !link.TerminateAsked && link.Channels.TrueForAll(channel => channel.Request is { IsOpen: true, Policy.SilenceTimeoutMs: 0 }));
        if (isFatal && Sabotages(Sabotage.CountsStall))
        {
            ListenedMs += ms;
            FireTimers();
        }
    }

    public void FireTimers()
    {
        Timers.Advance(NowMs);
        Patience.Advance(ListenedMs);
    }

    /// <summary>A caller may do more from within a call of the engine.</summary>
    /// <param name="caller">Whose call.</param>
    /// <param name="streaming">The request of which a piece has come; null at an outcome.</param>
    public void Reenter(SimCaller caller, SimRequest? streaming)
    {
        if (ReentryPercent == 0 || _depth >= MaxDepth || !Random.Chance(ReentryPercent))
        {
            return;
        }

        _depth++;
        Note($"caller {caller.Number} does more from within");
        if (streaming is not null && Random.Chance(50))
        {
            Cancel(streaming);
        }
        else if (Random.Chance(70))
        {
            Submit(caller, whole: true);
        }
        else if (Model.Open.Find(request => request.Caller == caller && request.Phase != Phase.Offered && request.Job is not null) is { } other)
        {
            Cancel(other);
        }

        _depth--;
    }

    public void Die(SimLink link, string cause)
    {
        link.DrainAnswers();
        Note($"slave {link.Slave.Generation} dies: {cause}");
        if (!Sabotages(Sabotage.KeepsSlave))
        {
            Links.Remove(link);
        }

        Starts.OnDeath(link);
        InDeath = true;
        link.Die(cause);
        InDeath = false;
        Starts.AfterDeath();
    }

    public void Drain() => Engine.Drain(() => Stopped++);

    private void CheckRefusal(SimRequest request, in JobRefusal refusal, bool full)
    {
        bool right = Engine.State switch
        {
            EngineState.Stopped => refusal.Code == ErrorCodes.ServerError,
            EngineState.Draining => refusal.Code == ErrorCodes.ResourceError,
            _ when Engine.Pool.IsBroken => refusal.Code == ErrorCodes.ServerError,
            _ => refusal.Code == ErrorCodes.ResourceError && full && refusal.RetryAfterS > 0,
        };
        JobModel.Require(right, request, $"is refused with {refusal.Code} {refusal.Reason}");
    }

    /// <summary>What the engine logs is a part of the trace.</summary>
    private sealed class TraceLog(SimWorld world) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            world.Note($"    {formatter(state, exception)}");
    }

    private sealed class Quarantine(SimWorld world) : IQuarantine
    {
        public void Keep(in QuarantinedJob job) => world.Model.OnQuarantine(in job);
    }

    /// <summary>Text that is made only when there is a trace.</summary>
    [System.Runtime.CompilerServices.InterpolatedStringHandler]
    public ref struct NoteText
    {
        private System.Runtime.CompilerServices.DefaultInterpolatedStringHandler _text;

        public NoteText(int literalLength, int formattedCount, SimWorld world, out bool isWanted)
        {
            isWanted = world._trace is not null;
            _text = isWanted ? new(literalLength, formattedCount, CultureInfo.InvariantCulture) : default;
        }

        public void AppendLiteral(string text) => _text.AppendLiteral(text);

        public void AppendFormatted<T>(T value) => _text.AppendFormatted(value);

        public string ToStringAndClear() => _text.ToStringAndClear();
    }
}
