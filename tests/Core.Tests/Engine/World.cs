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

namespace Cocaine.Fast.Core.Tests.Engine;

/// <summary>An engine on a virtual clock with slaves that do what the test says; it is every job's caller itself.</summary>
internal sealed class World : IEngineLoop, ISlaveBackend, IJobCaller
{
    private readonly List<FakeLink> _links = [];
    private readonly LineLog _log = new();
    private readonly Dictionary<ulong, int> _outcomes = [];
    private readonly List<Job> _open = [];
    private ulong _channel;

    public World(EngineSettings settings, EngineRecords? records = null, int startsAtOnce = int.MaxValue, int cores = 2, int slaves = 1)
    {
        Cores = cores;
        Task.JobTimeoutMs = settings.JobTimeoutMs;
        StartsAtOnce = startsAtOnce;
        Timers = new DeadlineWheel(0);
        Engine = new AppEngine("app", settings, this, this, _log, records);
        Engine.Start(slaves);
    }

    /// <summary>A world whose first slave is ready.</summary>
    public static World Begun(EngineSettings settings, EngineRecords? records = null, int startsAtOnce = int.MaxValue)
    {
        World world = new(settings, records, startsAtOnce);
        world.Ready(0);
        return world;
    }

    /// <summary>The slaves that live, in the order of their launch.</summary>
    public IReadOnlyList<FakeLink> Links => _links;

    public IReadOnlyList<string> Log => _log.Lines;

    public AppEngine Engine { get; }

    /// <summary>What is measured of its jobs.</summary>
    public TaskMonitor Task { get; } = new("task");

    public DeadlineWheel Timers { get; }

    public DeadlineWheel Patience => Timers;

    public BlockPool Blocks { get; } = new();

    public long NowMs { get; private set; }

    public long ListenedMs => NowMs;

    public long NowNs => NowMs * 1_000_000;

    public Action<string>? OnInvoke { get; set; }

    /// <summary>Why slaves cannot be launched; null when they can.</summary>
    public Exception? LaunchFailure { get; set; }

    /// <summary>Jobs without an outcome.</summary>
    public IReadOnlyList<Job> Open => _open;

    public int LastRefusal => Refusal.Code;

    public JobRefusal Refusal { get; private set; }

    /// <summary>How jobs ended: name, code (0 = done), reason, hint.</summary>
    public List<JobEnd> Ends { get; } = [];

    public List<int> Outcomes { get; } = [];

    /// <summary>What callers were told: true to wait with their requests, false to go on.</summary>
    public List<bool> Pressure { get; } = [];

    public bool Busy => _links.Exists(link => link.Channels.Count > 0);

    /// <summary>Slaves that may be starting at a time: by default as many as a test likes.</summary>
    public int StartsAtOnce { get; }

    /// <summary>Cores of the machine.</summary>
    public int Cores { get; }

    /// <summary>Slaves that are launched from now on tell what they have begun: nothing at first.</summary>
    public bool SlavesTell { get; set; }

    /// <summary>Slaves that the backend has room for besides those that live.</summary>
    public int Room { get; set; } = int.MaxValue;

    public SlaveRoom RoomFor(int wanted, bool isFirst)
    {
        int room = isFirst ? Math.Max(1, Room) : Room;
        return room >= wanted ? new SlaveRoom(wanted) : new SlaveRoom(room, "no descriptors are left");
    }

    public SlaveLink Launch(Slave slave)
    {
        if (LaunchFailure is { } failure)
        {
            throw failure;
        }

        Room -= Room == int.MaxValue ? 0 : 1;
        FakeLink link = new(this, slave) { BegunWord = SlavesTell ? 1u : 0 };
        _links.Add(link);
        return link;
    }

    public void Step(int what, int which)
    {
        switch (what)
        {
            case 0 or 1 or 2:
                Submit("event", which % 7 == 0, deadlineMs: which % 5 == 0 ? which : 0);
                break;
            case 3:
                Ready(which);
                break;
            case 4 or 5:
                Close(which);
                break;
            case 6:
                Chunk(which);
                break;
            case 7:
                Die(which);
                break;
            case 8 when _open.Count > 0:
                Job job = _open[which % _open.Count];
                _outcomes[job.CallerChannel] = _outcomes.GetValueOrDefault(job.CallerChannel) + 1;
                Cancel(job);
                break;
            case 9:
                Advance(which * 10);
                break;
            case 10:
                EndTerminated();
                break;
        }
    }

    public void Submit(string name, bool urgent = false, long deadlineMs = 0) =>
        Ask(name, new JobPolicy { Urgent = urgent, DeadlineMs = deadlineMs });

    /// <summary>A job whose request is still open.</summary>
    public Job Begin(string name, in JobPolicy policy = default)
    {
        Job job = Engine.Submit(this, ++_channel, Task, Encoding.UTF8.GetBytes(name), in policy, default, out _)!;
        _open.Add(job);
        return job;
    }

    /// <summary>More of its request.</summary>
    public void More(Job job, int sizeBytes) => Engine.AddChunk(job, new Payload(new byte[sizeBytes]));

    /// <summary>A job with a request of one chunk; null when it was refused or is over already.</summary>
    public Job? Ask(string name, in JobPolicy policy = default, int sizeBytes = 4)
    {
        Job? job = Engine.Submit(this, ++_channel, Task, Encoding.UTF8.GetBytes(name), in policy, default, out JobRefusal refusal);
        Refusal = refusal;
        if (job is not null)
        {
            _open.Add(job);
            Engine.AddChunk(job, new Payload(new byte[sizeBytes]));
            Engine.EndRequest(job);
        }

        return job is not null && _open.Contains(job) ? job : null;
    }

    /// <summary>The caller of a job gives it up.</summary>
    public void Cancel(Job job, bool clientGone = true)
    {
        _open.Remove(job);
        Engine.Cancel(job, "gone"u8, clientGone);
    }

    public void Die(FakeLink link, string cause = "signal 9")
    {
        _links.Remove(link);
        link.Slave.OnDead(cause);
    }

    /// <summary>Slaves that were told to end do so.</summary>
    public void EndTerminated()
    {
        foreach (FakeLink link in _links.Where(link => link.IsTerminated).ToArray())
        {
            Die(link, "exit code 0");
        }
    }

    /// <summary>A slave that starts is ready, and beats at once as a worker does.</summary>
    public void Ready(int which, int wish = 0)
    {
        if (Pick(which, link => link.Slave.State == SlaveState.Starting && !link.KillAsked) is { } link)
        {
            link.Slave.OnReady(wish);
            link.Heartbeat();
        }
    }

    public void Close(int which) => Answer(which, (link, channel) => MessageWriter.WriteClose(link.FromSlave, channel), ends: true);

    public void Chunk(int which) =>
        Answer(which, (link, channel) => MessageWriter.WriteChunk(link.FromSlave, channel, new Payload("x"u8), bin: true), ends: false);

    public void Die(int which)
    {
        if (Pick(which, link => true) is { } link)
        {
            _links.Remove(link);
            link.Slave.OnDead("signal 9");
        }
    }

    /// <summary>The loop is held up: time passes and no timer fires yet.</summary>
    public void HoldUp(long ms) => NowMs += ms;

    /// <summary>The first job of a slave ends.</summary>
    public void CloseOne(FakeLink link) => CloseChannel(link, link.Channels[0]);

    /// <summary>The slave's newest job ends.</summary>
    public void CloseNewest(FakeLink link) => CloseChannel(link, link.Channels[^1]);

    /// <summary>A job that runs ends.</summary>
    public void Close(Job job) => CloseChannel(_links.Single(link => link.Slave == job.Slave), job.SlaveChannel);

    public void Advance(long ms, bool endKilled = true)
    {
        NowMs += ms;
        Timers.Advance(NowMs);
        if (!endKilled)
        {
            return;
        }

        foreach (FakeLink link in _links.Where(link => link.KillAsked).ToArray())
        {
            _links.Remove(link);
            link.Slave.OnDead("signal 9");
        }
    }

    public void AssertCounts()
    {
        ISiblings? siblings = Engine.Scope.Siblings; // guests count where they come from
        int queued = Engine.Queue.Count - (siblings?.WaitingGuests ?? 0), running = Engine.RunningJobs - (siblings?.RunningGuests ?? 0);
        Assert.True(Engine.Counters.Holds(queued, running));
        Assert.Equal(_open.Count, queued + running);
        Assert.DoesNotContain(_outcomes.Values, count => count != 1);
        Assert.InRange(Engine.Pool.Roster.Total, 0, (2 * Engine.Settings.PoolLimit) + 1); // as many again that leave, and a replacement
    }

    public void Finish()
    {
        for (int i = 0; i < 200 && _open.Count > 0; i++)
        {
            EndTerminated();
            Ready(0);
            Close(i);
            Advance(500);
            AssertCounts();
        }

        bool stopped = false;
        Engine.Drain(() => stopped = true);
        for (int i = 0; i < 100 && !stopped; i++)
        {
            Die(0);
        }

        Assert.True(stopped);
        Assert.Empty(_open);
        AssertCounts();
    }

    public void OnChunk(Job job, in Payload data)
    {
    }

    public void OnDone(Job job) => Outcome(job, default);

    public void OnFailed(Job job, in JobError error) => Outcome(job, in error);

    public void OnRequestPressure(Job job, bool high) => Pressure.Add(high);

    private void Outcome(Job job, in JobError error)
    {
        Assert.True(_open.Remove(job));
        Outcomes.Add(error.Code);
        string reason = Encoding.UTF8.GetString(error.Reason);
        Ends.Add(new JobEnd(Encoding.UTF8.GetString(job.Event), error.Code, reason, error.RetryAfterS));
        _outcomes[job.CallerChannel] = _outcomes.GetValueOrDefault(job.CallerChannel) + 1;
    }

    private static void CloseChannel(FakeLink link, ulong channel)
    {
        link.Channels.Remove(channel);
        link.Say(sink => MessageWriter.WriteClose(sink, channel));
    }

    private FakeLink? Pick(int which, Predicate<FakeLink> usable)
    {
        List<FakeLink> links = _links.FindAll(usable);
        return links.Count == 0 ? null : links[which % links.Count];
    }

    private void Answer(int which, Action<FakeLink, ulong> write, bool ends)
    {
        if (Pick(which, link => link.Channels.Count > 0) is { } link)
        {
            ulong channel = link.Channels[which % link.Channels.Count];
            if (ends)
            {
                link.Channels.Remove(channel);
            }

            link.Say(sink => write(link, channel));
        }
    }
}

/// <summary>How a job ended.</summary>
internal sealed record JobEnd(string Name, int Code, string Reason, int RetryAfterS);

/// <summary>A slave that does what the test says; it decodes what the engine writes to learn its channels.</summary>
internal sealed class FakeLink(World world, Slave slave) : SlaveLink
{
    private readonly MemorySink _toSlave = new();

    public Slave Slave { get; } = slave;

    public MemorySink FromSlave { get; } = new();

    public List<ulong> Channels { get; } = [];

    /// <summary>Channels whose jobs the engine cancelled.</summary>
    public List<ulong> Cancelled { get; } = [];

    /// <summary>It knows flow control of one channel.</summary>
    public override bool HasFlow => KnowsFlow;

    /// <inheritdoc cref="HasFlow"/>
    public bool KnowsFlow { get; set; }

    /// <summary>The holds and go-ons of answers that the engine asked for.</summary>
    public List<(ulong Channel, bool Hold)> Flow { get; } = [];

    /// <summary>Sizes of the chunks that the engine sent.</summary>
    public List<int> ChunkSizes { get; } = [];

    /// <summary>Channels whose requests the engine ended.</summary>
    public List<ulong> Closed { get; } = [];

    /// <summary>It was told to end.</summary>
    public bool IsTerminated { get; private set; }

    /// <summary>Why it was killed; null when it was not.</summary>
    public string? KillReason { get; private set; }

    public long RssBytes { get; set; }

    public bool KillAsked => KillReason is not null;

    /// <summary>The events of the jobs on it, the oldest first.</summary>
    public IReadOnlyList<string> Jobs => Slave.Channels.ToList().ConvertAll(job => Encoding.UTF8.GetString(job.Event));

    public override MessageSink Sink => _toSlave;

    /// <summary>What it has not taken yet, as the engine is told.</summary>
    public long Backlog { get; set; }

    public override long BacklogBytes => Backlog;

    public override bool PeerSpeaksBin => true;

    public override string Kind => "fake";

    public override int ProcessId => 0;

    /// <summary>The highest channel that it has begun, as it tells; 0 while it tells nothing.</summary>
    public ulong BegunWord { get; set; }

    /// <summary>What it stores between two looks of the engine; 0 for nothing.</summary>
    public ulong BegunAtRecall { get; set; }

    /// <summary>The recalls that the engine wrote: from which channel on.</summary>
    public List<ulong> Recalls { get; } = [];

    public override bool TellsBegun => BegunWord > 0;

    public override ulong Begun => TellsBegun ? BegunWord : ulong.MaxValue;

    public override int BeginRecall(out ulong begun)
    {
        begun = BegunAtRecall > 0 ? BegunAtRecall : BegunWord;
        return Recalls.Count + 1;
    }

    public override IReadOnlyList<string> LastLines => [$"the last line of {Slave.Generation}"];

    public override long ReadRssBytes() => RssBytes;

    public void Heartbeat() => Say(MessageWriter.WriteHeartbeat);

    /// <summary>One message to the engine.</summary>
    public void Say(Action<MessageSink> write)
    {
        FromSlave.Clear();
        write(FromSlave);
        byte[] bytes = FromSlave.Written.ToArray();
        MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
        Assert.True(Slave.OnMessage(new MessageView(in layout, bytes), out string? fault), fault);
    }

    public override void Flush()
    {
        byte[] bytes = _toSlave.Written.ToArray();
        _toSlave.Clear();
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty && MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
        {
            if (layout is { Channel: 1, Type: 1 })
            {
                IsTerminated = true;
            }
            else if (layout is { Channel: 1, Type: ControlType.Recall })
            {
                Assert.Equal(Recalls.Count + 1, layout.Code);
                Recalls.Add(layout.Number);
                Channels.RemoveAll(channel => channel >= layout.Number);
            }
            else if (layout is { Channel: 1, Type: ControlType.Flow })
            {
                Assert.True(FlowControl.TryRead(new MessageView(in layout, rest), out ulong channel, out bool hold));
                Flow.Add((channel, hold));
            }
            else if (layout.Type == 1)
            {
                Cancelled.Add(layout.Channel);
            }
            else if (layout.Type == 2)
            {
                Closed.Add(layout.Channel);
            }
            else if (layout is { Channel: > 1, Type: 0, HeadersLength: 0 })
            {
                ChunkSizes.Add(layout.DataLength);
            }
            else if (layout is { Type: 0, HeadersLength: > 0 })
            {
                Channels.Add(layout.Channel);
                world.OnInvoke?.Invoke(Encoding.UTF8.GetString(rest.Slice(layout.DataOffset, layout.DataLength)));
            }

            rest = rest[layout.TotalBytes..];
        }
    }

    /// <summary>The engine has asked to be told when the slave has read.</summary>
    public bool ReadAsked { get; set; }

    /// <summary>It has read all.</summary>
    public void Read()
    {
        Assert.True(ReadAsked);
        ReadAsked = false;
        Slave.Pressure.OnRead(Slave, this);
    }

    public override void AskForRead() => ReadAsked = true;

    public override void PauseReading()
    {
    }

    public override void ResumeReading()
    {
    }

    public override void Kill(string reason) => KillReason ??= reason;
}

/// <summary>Keeps what is logged.</summary>
internal sealed class LineLog : ILogger
{
    public List<string> Lines { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Lines.Add(formatter(state, exception));
}
