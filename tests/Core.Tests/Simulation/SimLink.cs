using System.Globalization;
using System.Text;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Tests.Simulation;

/// <summary>
/// A slave that does what the schedule says. It reads every message of the engine as a real worker would, and holds the engine to the
/// worker protocol.
/// </summary>
internal sealed class SimLink(SimWorld world, Slave slave) : SlaveLink
{
    private readonly MemorySink _toSlave = new(256);
    private readonly MemorySink _fromSlave = new(256);
    private ulong _lastChannel = 1;
    private ulong _lastEnded;      // a channel that it has ended, 0 for none
    private readonly List<SimChannel> _unbegun = [];                   // in the slave's ring, in their order; void ones until it knows
    private readonly List<(ulong From, ulong UpTo)> _recalls = [];     // recalls that it has not read
    private readonly List<(SimChannel Channel, bool Error)> _unheard = [];  // ends that the node has not read
    private SimChannel? _beginning;  // it has said that it begins this one, and has not looked for a recall yet
    private ulong _begun = 1;        // the word that the node reads
    private int _recallWord;         // the word that the node writes
    private int _recallsRead;
    private bool _lies;              // it has told the engine of the recall under way that it has begun less than it has
    private bool _takesPortions;     // it goes on with a request, or has read: kept pieces may come
    private int _heartbeatsOwed;
    private bool _askedToEnd;

    public Slave Slave { get; } = slave;

    /// <summary>The calls that the node takes for running.</summary>
    public List<SimChannel> Channels { get; } = [];

    /// <summary>Those that stand ahead of their turn.</summary>
    public List<SimChannel> Ahead { get; } = [];

    public override bool TellsBegun { get; } = world.TellsBegun && (slave.Generation % 3 != 0 || world.Wish > 0);

    public override ulong Begun => TellsBegun ? _begun : ulong.MaxValue;

    public override int BeginRecall(out ulong begun)
    {
        _recallWord++;
        ulong before = _begun;
        if (_beginning is null && CanBegin && !IsGone && world.Random.Chance(50))
        {
            Begin(); // at the same moment: the node sees it
        }

        _lies = before != _begun && Ahead.Exists(channel => channel.Number == _begun) && world.Sabotages(Sabotage.TakesBackBegun);
        begun = _lies ? before : _begun;
        return _recallWord;
    }

    private IEnumerable<SimChannel> AllChannels => Channels.Concat(Ahead);

    /// <summary>Calls whose handlers run.</summary>
    public IEnumerable<SimChannel> BegunChannels => AllChannels.Where(channel => channel is { IsBegun: true, IsOver: false });

    /// <summary>A handler ends, and the node does not read it now.</summary>
    public void EndUnheard(SimChannel channel, bool error)
    {
        channel.IsOver = true;
        _unheard.Add((channel, error));
    }

    /// <summary>The node reads of the ends until now.</summary>
    public void Hear()
    {
        while (_unheard.Count > 0 && !IsPaused)
        {
            (SimChannel channel, bool error) = _unheard[0];
            _unheard.RemoveAt(0);
            End(channel, error);
        }
    }

    /// <summary>It may begin another handler, or is about to.</summary>
    public bool CanBegin => _beginning is not null || (_unbegun.Count > 0 && BegunChannels.Count() < Concurrency);

    /// <summary>The handlers that it runs at a time: as many as it wishes for, or the settings' number.</summary>
    public int Concurrency { get; private set; } = world.Settings.Concurrency;

    /// <summary>
    /// One step of a begin: it says that it begins the next handler; or it looks whether the node takes jobs back, reads that it does, and
    /// begins what is its still.
    /// </summary>
    public void Begin()
    {
        if (_beginning is not { } channel)
        {
            _beginning = _unbegun[0];
            _begun = _beginning.Number;
            return;
        }

        _beginning = null;
        bool looks = !_recalls.Exists(recall => recall.From <= channel.Number && channel.Number <= recall.UpTo)
            || !world.Sabotages(Sabotage.IgnoresRecall);
        if (_recallsRead != _recallWord && looks)
        {
            ReadRecalls();
        }

        if (_unbegun.Remove(channel))
        {
            channel.IsBegun = true;
            world.Model.OnBegun(channel, this);
        }
    }

    /// <summary>It reads what the node takes back, as it comes to it in its ring.</summary>
    public void ReadRecalls()
    {
        foreach ((ulong from, ulong upTo) in _recalls)
        {
            _unbegun.RemoveAll(channel => channel.Number >= from && channel.Number <= upTo);
        }

        _recalls.Clear();
        _recallsRead = _recallWord;
    }

    public bool HasRecalls => _recalls.Count > 0;

    /// <summary>Begins all that it may.</summary>
    public void BeginAll()
    {
        while (CanBegin)
        {
            Begin();
        }
    }

    public bool IsReady { get; private set; }

    /// <summary>When it became ready; valid from then on.</summary>
    public long ReadyMs { get; private set; }

    public bool IsKilled { get; private set; }

    /// <summary>It is killed for a call that hung, which has its outcome; nobody else's doing.</summary>
    public bool IsHung { get; private set; }

    public bool IsGone { get; private set; }

    public bool TerminateAsked { get; private set; }

    /// <summary>When Terminate was asked; valid with it.</summary>
    public long TerminateMs { get; private set; }

    /// <summary>Times of the link are those for which the node has listened.</summary>
    public long StartedMs { get; } = world.HeardMs;

    public long LastHeardMs { get; set; } = world.HeardMs;

    public bool IsPaused { get; private set; }

    /// <summary>It was held back once: its silence is counted from its release on, and looked at later.</summary>
    public bool WasPaused { get; private set; }

    /// <summary>When it was let go last after it was held back.</summary>
    public long ReleasedMs { get; private set; }

    /// <summary>It goes on with a call that nobody waits for any more, for ever: its handlers do not listen. It beats, however busy it is.</summary>
    public bool IsDeaf { get; set; } = world.DeafPercent > 0 && world.Random.Chance(world.DeafPercent);

    /// <summary>Every other slave knows flow control of one channel.</summary>
    public override bool HasFlow { get; } = slave.Generation % 2 == 0;

    /// <summary>Its handler has much to read, or has read it; also of a channel that has ended, or was never there.</summary>
    public void TellFlow(ulong number, bool holds)
    {
        Hear();
        AllChannels.FirstOrDefault(channel => channel.Number == number)?.OnFlow(holds, world.NowMs);
        _takesPortions = !holds;
        MessageWriter.WriteFlow(_fromSlave, MessageWriter.ControlChannel, number, holds);
        Deliver(expectFault: false);
        if (!holds && BacklogBytes == 0 && AllChannels.Any(channel => channel.AwaitsRead) && world.Sabotages(Sabotage.TellsReadEarly))
        {
            Slave.Pressure.OnRead(Slave, this);
        }

        EndPortions();
    }

    public bool Holds(SimRequest request) => Channels.Exists(channel => channel.Request == request && channel.HoldsRequest);

    public ulong AnyChannel() => AllChannels.Any() && world.Random.Chance(80) ? world.Random.Of(AllChannels.ToList()).Number
        : (ulong)world.Random.Below((int)_lastChannel + 5);

    public bool CanBeLate => _lastEnded > 0;

    /// <summary>Bytes that it pretends to be behind with.</summary>
    public long Backlog { get; set; }

    public override MessageSink Sink => _toSlave;

    public override long BacklogBytes => Backlog;

    public override bool PeerSpeaksBin { get; } = slave.Generation % 3 != 0; // every third is an old worker

    public override string Kind => "simulated";

    public override int ProcessId => 0;

    /// <summary>It grows with every channel it was given.</summary>
    public override long ReadRssBytes() => 1000 * (long)_lastChannel;

    /// <summary>The node waits until it has read what it was sent.</summary>
    public bool IsReadAsked { get; private set; }

    public override void AskForRead() => IsReadAsked = true;

    /// <summary>It has read all that was sent.</summary>
    public void Read()
    {
        IsReadAsked = false;
        AllChannels.ToList().ForEach(channel => channel.OnRead());
        _takesPortions = true;
        Slave.Pressure.OnRead(Slave, this);
        EndPortions();
    }

    /// <summary>Where a portion had room for more, the rest comes as it is sent.</summary>
    private void EndPortions()
    {
        _takesPortions = false;
        AllChannels.ToList().ForEach(channel => channel.EndPortion());
    }

    public override void PauseReading() => IsPaused = WasPaused = true;

    public override void ResumeReading()
    {
        ReleasedMs = IsPaused ? world.HeardMs : ReleasedMs;
        IsPaused = false;
    }

    public override void Kill(string reason)
    {
        if (!IsGone && !IsKilled)
        {
            SimChecks.OnKill(world, this, reason);
            IsKilled = true;
            Slave.OnKilled();
            world.Note($"slave {Slave.Generation} is killed: {reason}");
        }
    }

    public override void KillHung(string reason)
    {
        IsHung = true;
        Kill(reason);
    }

    public override void Flush()
    {
        ReadOnlySpan<byte> rest = _toSlave.Written;
        while (!rest.IsEmpty)
        {
            if (MessageDecoder.Decode(rest, ProtocolLimits.Default, out MessageLayout layout) != DecodeStatus.Ok)
            {
                throw new BrokenPromise($"slave {Slave.Generation} gets what is no message");
            }

            OnNodeMessage(in layout, rest);
            rest = rest[layout.TotalBytes..];
        }

        _toSlave.Clear();
    }

    public void BecomeReady()
    {
        IsReady = true;
        LastHeardMs = world.HeardMs;
        ReadyMs = world.NowMs;
        Concurrency = Math.Max(Concurrency, world.Wish);
        Slave.OnReady(world.Wish);
    }

    public void AnswerChunk(SimChannel channel, int skip = 0)
    {
        Hear();
        if (Ahead.Contains(channel))
        {
            world.Model.OnPromoted(channel, this);
        }

        channel.AnswerChunks += skip;
        Span<byte> data = stackalloc byte[Label.SizeBytes];
        int id = channel.Request.IsOpen && world.Sabotages(Sabotage.SwapsAnswers) ? channel.Request.Id + 1 : channel.Request.Id;
        new Label(id, channel.Run, channel.AnswerChunks++).Write(data);
        MessageWriter.WriteChunk(_fromSlave, channel.Number, new Payload(data), bin: true);
        Deliver(expectFault: false);
    }

    /// <summary>Whether its handler may end: not one that should have ended long ago and does not know.</summary>
    public bool Ends(SimChannel channel) => !IsDeaf || channel.Request.IsOpen;

    /// <summary>Channels whose calls have had their outcome for so long that nobody waits for their end any more.</summary>
    public int LostChannels() => Channels.Count(channel => !channel.Request.IsOpen && !channel.Request.EndedBySilence
        && (channel.Request.RanTooLong ? channel.Request.Job!.IsAbandoned : world.HeardMs >= Math.Max(channel.Request.EndedMs, ReleasedMs) + world.Settings.HeartbeatTimeoutMs));

    /// <summary>Ends its side. The node must have ended its own when this returns, or a worker keeps the channel for ever.</summary>
    public void End(SimChannel channel, bool error)
    {
        if (error)
        {
            MessageWriter.WriteError(_fromSlave, channel.Number, 42, 100, "raised");
        }
        else
        {
            MessageWriter.WriteClose(_fromSlave, channel.Number);
        }

        if (Ahead.Contains(channel))
        {
            world.Model.OnPromoted(channel, this);
        }

        _lastEnded = channel.Number;
        Ending = channel;
        if (Ahead.Count > 0 && Channels.Count - 1 < (Slave.IsRetired ? 0 : Concurrency))
        {
            world.Model.OnPromoted(Ahead[0], this);
        }

        Deliver(expectFault: false);
        Ending = null;
        Channels.Remove(channel);
        if (!channel.NodeEnded)
        {
            throw new BrokenPromise($"channel {channel.Number} of slave {Slave.Generation} was never ended by the node");
        }
    }

    /// <summary>The channel whose end the engine is hearing of: it takes no room any more.</summary>
    public SimChannel? Ending { get; private set; }

    /// <summary>Something on a channel that it has ended already, as a handler that goes on after its end sends.</summary>
    public void SendLate(int kind)
    {
        Hear();
        Span<byte> data = stackalloc byte[Label.SizeBytes];
        switch (kind)
        {
            case 0:
                MessageWriter.WriteChunk(_fromSlave, _lastEnded, new Payload(data), bin: true);
                break;
            case 1:
                MessageWriter.WriteError(_fromSlave, _lastEnded, 42, 100, "late");
                break;
            default:
                MessageWriter.WriteClose(_fromSlave, _lastEnded);
                break;
        }

        Deliver(expectFault: false);
    }

    public void Heartbeat()
    {
        Hear();
        MessageWriter.WriteHeartbeat(_fromSlave);
        _heartbeatsOwed++;
        Deliver(expectFault: false);
        if (_heartbeatsOwed != 0)
        {
            throw new BrokenPromise($"a heartbeat of slave {Slave.Generation} is not answered");
        }
    }

    public void AskToEnd()
    {
        Hear();
        _askedToEnd = true;
        MessageWriter.WriteTerminate(_fromSlave, 1, "enough");
        Deliver(expectFault: false);
    }

    /// <summary>A message that no worker may send: the engine must say so, and is told that the slave dies of it.</summary>
    public void SendGarbage(int kind)
    {
        Hear();
        switch (kind)
        {
            case 0:
                MessageWriter.WriteClose(_fromSlave, _lastChannel + 7);
                break;
            case 1:
                MessageWriter.WriteEmpty(_fromSlave, 1, 9);
                break;
            case 2 when HasFlow && _lastChannel % 2 == 0:
                MessageWriter.WriteEmpty(_fromSlave, 1, ControlType.Flow);
                break;
            case 2 when Channels.Count > 0:
                MessageWriter.WriteEmpty(_fromSlave, Channels[0].Number, 0);
                break;
            default:
                MessageWriter.WriteEmpty(_fromSlave, _lastChannel, 5);
                break;
        }

        Deliver(expectFault: true);
    }

    /// <summary>It is dead, and the node reads what it had published before.</summary>
    public void DrainAnswers()
    {
        IsPaused = false;
        Hear();
    }

    public void Die(string cause)
    {
        IsGone = true;
        SimChannel? placed = Ahead.Find(channel => channel.Number > _begun);
        world.Model.OnSlaveGone(this);
        if (Channels.Count > 1 && !TellsBegun && Channels.Find(channel => channel.Request.Phase == Phase.Waiting) is { } neighbour
            && world.Model.MayRunAgain(neighbour.Request) && world.ReentryPercent == 0 && !world.IsHealing && world.Sabotages(Sabotage.ChargesNeighbours))
        {
            (neighbour.Request.Job!.Deaths ??= []).Add(new SlaveDeath(Slave.ShortId, cause, []));
        }

        if (placed?.Request is { Phase: Phase.Waiting, Job: { } job } && world.ReentryPercent == 0 && !world.IsHealing && world.Sabotages(Sabotage.ChargesPlaced))
        {
            (job.Deaths ??= []).Add(new SlaveDeath(Slave.ShortId, cause, []));
        }

        Slave.OnDead(cause, bySignal: cause.StartsWith("signal", StringComparison.Ordinal));
    }

    private void Deliver(bool expectFault)
    {
        byte[] bytes = _fromSlave.Written.ToArray();
        _fromSlave.Clear();
        LastHeardMs = world.HeardMs;
        _ = MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout);
        bool legal = Slave.OnMessage(new MessageView(in layout, bytes), out string? fault);
        if (legal == expectFault)
        {
            throw new BrokenPromise(legal ? "a message that no worker may send is taken" : $"a legal message is called a fault: {fault}");
        }

        if (!legal)
        {
            Kill(fault!);
        }
    }

    private void OnNodeMessage(in MessageLayout layout, ReadOnlySpan<byte> bytes)
    {
        if (IsGone)
        {
            return; // written to a socket that nobody reads
        }

        if (layout.Channel == 1)
        {
            OnControl(in layout, bytes);
            return;
        }

        ulong number = layout.Channel;
        SimChannel? channel = Channels.Find(one => one.Number == number) ?? Ahead.Find(one => one.Number == number);
        if (channel is null)
        {
            OnInvoke(in layout, bytes);
            return;
        }

        switch (layout.Type)
        {
            case 0 when layout.Shape == ArgumentShape.Data && !channel.NodeEnded:
                JobModel.Require(!channel.HoldsRequest, channel.Request, "'s slave gets a piece that it has asked to hold");
                channel.TakePiece(layout.DataLength, _takesPortions);
                world.Model.OnRequestChunk(channel, Label.Read(bytes.Slice(layout.DataOffset, layout.DataLength)));
                if (world.Sabotages(Sabotage.RepeatsRequest))
                {
                    world.Model.OnRequestChunk(channel, Label.Read(bytes.Slice(layout.DataOffset, layout.DataLength)));
                }

                break;
            case 2 when !channel.NodeEnded:
                channel.NodeEnded = true;
                world.Model.OnRequestEnd(channel, this);
                break;
            case 1 when !channel.Cancelled && (!channel.NodeEnded || PeerSpeaksBin):
                if (Ahead.Remove(channel))
                {
                    Channels.Add(channel); // it was begun, which the engine has found out
                    channel.Request.Phase = channel.Request.Phase == Phase.Placed ? Phase.OnSlave : channel.Request.Phase;
                    channel.Request.DispatchedMs = world.HeardMs;
                    channel.Run = ++channel.Request.Runs;
                    JobModel.Require(channel.Number <= _begun, channel.Request, "is cancelled on its slave although that has not begun it");
                }

                channel.NodeEnded = channel.Cancelled = true;
                break;
            default:
                throw new BrokenPromise($"slave {Slave.Generation} gets type {layout.Type} on channel {channel.Number} after its end");
        }
    }

    private void OnFlow(in MessageLayout layout, ReadOnlySpan<byte> bytes)
    {
        if (!HasFlow || !FlowControl.TryRead(new MessageView(in layout, bytes), out ulong number, out bool holds)
            || Channels.Find(one => one.Number == number) is not { } channel || channel.AnswerHeld == holds)
        {
            throw new BrokenPromise($"slave {Slave.Generation} is asked to hold or go on what it does not send or does already");
        }

        channel.AnswerHeld = holds;
        WasPaused = true; // from here on its silence is not only its own
        LastHeardMs = world.HeardMs;
    }

    private void OnControl(in MessageLayout layout, ReadOnlySpan<byte> bytes)
    {
        if (layout.Type == ControlType.Flow)
        {
            OnFlow(in layout, bytes);
            return;
        }

        if (layout.Type == 1)
        {
            if (!_askedToEnd && Channels.Exists(channel => channel.Request.IsOpen && channel.Request.Link == this && channel != Ending))
            {
                throw new BrokenPromise($"slave {Slave.Generation} is told to end in the middle of a job");
            }

            TerminateAsked = true;
            TerminateMs = world.HeardMs;
        }
        else if (layout.Type == ControlType.Recall)
        {
            if (layout.Code != _recallWord)
            {
                throw new BrokenPromise($"slave {Slave.Generation} reads of recall {layout.Code}, but {_recallWord} were begun");
            }

            if (_lies && layout.Number > _begun)
            {
                world.TakeSabotageBack(Sabotage.TakesBackBegun); // the engine wants only calls after that one
            }

            _lies = false;
            _recalls.Add((layout.Number, _lastChannel));
            world.Model.OnRecalled(this, layout.Number);
        }
        else if (--_heartbeatsOwed < 0)
        {
            throw new BrokenPromise($"slave {Slave.Generation} gets a heartbeat that it did not send");
        }
    }

    private void OnInvoke(in MessageLayout layout, ReadOnlySpan<byte> bytes)
    {
        if (layout.Type != 0 || layout.HeadersLength == 0 || layout.Channel <= _lastChannel)
        {
            throw new BrokenPromise($"slave {Slave.Generation} gets type {layout.Type} on channel {layout.Channel}, which is not open");
        }

        _lastChannel = layout.Channel;
        int id = int.Parse(Encoding.UTF8.GetString(bytes.Slice(layout.DataOffset, layout.DataLength)), CultureInfo.InvariantCulture);
        if (Channels.Count == 0)
        {
            LastHeardMs = Math.Max(LastHeardMs, world.HeardMs - 1); // its silence counts from the dispatch on
        }

        bool isAhead = world.Model.All[id].Job is { State: JobState.Placed };
        SimRequest request = isAhead ? world.Model.OnPlaced(this, id) : world.Model.OnDispatch(this, id);
        SimChannel opened = new(layout.Channel, request) { IsBegun = !TellsBegun, OpenedMs = world.NowMs };
        (isAhead ? Ahead : Channels).Add(opened);
        if (TellsBegun)
        {
            _unbegun.Add(opened);
        }

        if (request.IsSuspect && world.Engine.Queue.Suspects.Count == 0 && world.Engine.Queue.Usual > 0 && world.Engine.State != EngineState.Stopped
            && world.Sabotages(Sabotage.ForgetsAlone))
        {
            Slave.Solo.Release();
        }

        if (world.Sabotages(Sabotage.RunsTwice))
        {
            world.Model.OnDispatch(this, id);
        }
    }
}
