using System.Buffers;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.ZeroMq.Wire;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>The socket of a connection.</summary>
internal interface IConnectionOwner
{
    SocketKind Kind { get; }

    /// <summary>The handshake is made; returns the reason to refuse the peer, or null.</summary>
    string? OnReady(ZeroMqConnection peer);

    /// <summary>A whole message. False when there is no room: the connection reads no more until it is resumed.</summary>
    bool OnMessage(ZeroMqConnection peer, FrameList message);

    /// <summary>The peer is refused, and its connection closes after this.</summary>
    void OnRefused(ZeroMqConnection peer, string problem);

    /// <summary>The connection has ended, for any reason.</summary>
    void OnClosed(ZeroMqConnection peer);
}

/// <summary>How far a connection is.</summary>
internal enum ConnectionState
{
    /// <summary>The handshake is not made.</summary>
    Greeting,

    /// <summary>Messages come and go.</summary>
    Talking,

    /// <summary>The socket is closed: the last messages go out, and the peer's own are dropped.</summary>
    Lingering,

    /// <summary>The connection has ended.</summary>
    Closed,
}

/// <summary>The connection of a ZeroMQ peer. A peer is a stranger: its bytes are bounded and checked like those of every door.</summary>
internal sealed class ZeroMqConnection : SocketConnection, IWireHost
{
    /// <summary>Unsent bytes from which on a peer gets no answers of the protocol itself: it does not read, and asks for more.</summary>
    private const long MaxProtocolBytes = 64 << 10;

    /// <summary>The time in which a peer reads its last messages and ends: a few round trips, and a hiccup.</summary>
    private const int EndMs = 1000;

    private readonly IConnectionOwner _owner;
    private readonly WireSession _session;
    private readonly UnsentMessages _unsent;
    private readonly PatienceTimer _timer; // the handshake's in Greeting, the linger's in Lingering
    private bool _peerEnded;               // the peer has sent its last byte; valid in Talking, while a message waits for room

    public ZeroMqConnection(IConnectionOwner owner, EventLoop loop, int descriptor, UnsentMessages unsent)
        : base(loop, descriptor)
    {
        _owner = owner;
        _unsent = unsent;
        _session = new WireSession(this, owner.Kind);
        _timer = new PatienceTimer(this);
    }

    public ConnectionState State { get; private set; } = ConnectionState.Greeting;

    /// <summary>The peer's identity: its own, or the one that the socket gives it. Valid from Talking on.</summary>
    public byte[] Identity { get; set; } = [];

    /// <summary>The peer speaks ZMTP 1.0. Valid from Talking on.</summary>
    public bool IsOld => _session.Framing == Framing.First;

    /// <summary>The prefixes that the peer has subscribed to; null when the socket publishes nothing.</summary>
    public Topics? Topics { get; init; }

    /// <summary>Frames of the next message that are jobs already.</summary>
    public int Handled { get; set; }

    /// <summary>Decides about the peer's jobs; null until its first message, and for a socket without rights.</summary>
    public CallGate? Gate { get; set; }

    /// <summary>Messages that the peer has sent.</summary>
    public long Received { get; set; }

    /// <inheritdoc/>
    bool IWireHost.IsTaking => IsOpen && !IsReadingPaused && State is ConnectionState.Greeting or ConnectionState.Talking;

    internal override bool IsOfStranger => true;

    /// <summary>Starts the handshake, which has the time that an unfinished message has between two bytes.</summary>
    public void Begin()
    {
        Open();
        Loop.Patience.Arm(_timer, Loop.ListenedMs + Loop.Partials.StallMs);
        Send(Greeting.Signature);
    }

    /// <summary>There is room for a message to the peer: it reads, or has not missed much yet.</summary>
    public bool HasRoom()
    {
        if (State != ConnectionState.Talking)
        {
            return false;
        }

        if (_unsent.HasRoom(Output.PendingBytes, Output.SentBytes))
        {
            return true;
        }

        if (!IsSendBlocked)
        {
            SendNow(); // many messages of one turn: the socket may take them
        }

        return IsOpen && _unsent.HasRoom(Output.PendingBytes, Output.SentBytes);
    }

    /// <summary>Writes a frame of a message, which has room; the last one ends the message.</summary>
    public void Write(scoped in Payload frame, bool more)
    {
        if (!IsOpen)
        {
            return;
        }

        Span<byte> head = stackalloc byte[FrameHead.MaxBytes];
        int length = FrameHead.Write(head, _session.Framing, frame.Length, more);
        if (frame.IsContiguous && length + frame.Length <= Output.MaxContiguousBytes)
        {
            Span<byte> to = Output.BeginMessage(length + frame.Length);
            head[..length].CopyTo(to);
            frame.Span.CopyTo(to[length..]);
            Output.EndMessage(length + frame.Length);
        }
        else
        {
            Output.WriteLong(head[..length], in frame, default);
        }

        if (!more)
        {
            _unsent.Add(Output.PendingBytes, Output.SentBytes);
            ScheduleSend();
        }
    }

    /// <summary>Subscribes to a prefix.</summary>
    public void Subscribe(byte[] topic)
    {
        ReadOnlySpan<byte> command = "\u0009SUBSCRIBE"u8;
        byte[] bytes = new byte[FrameHead.MaxBytes + command.Length + topic.Length];
        int at = 0;
        if (_session.HasCommands)
        {
            at = FrameHead.WriteCommand(bytes, command.Length + topic.Length);
            command.CopyTo(bytes.AsSpan(at));
            at += command.Length;
        }
        else
        {
            at = FrameHead.Write(bytes, _session.Framing, 1 + topic.Length, hasMore: false);
            bytes[at++] = 1;
        }

        topic.CopyTo(bytes, at);
        Output.WriteLong(default, new Payload(bytes.AsSpan(0, at + topic.Length)), default);
        ScheduleSend();
    }

    /// <summary>
    /// Drops the peer's further messages, and sends the written ones in the given time. The connection closes when the peer does, or soon
    /// after the last message.
    /// </summary>
    public void Linger(long timeoutMs)
    {
        if (State != ConnectionState.Talking || _peerEnded)
        {
            Close("the socket is closed");
            return;
        }

        MoveTo(ConnectionState.Lingering);
        DropInput();
        ResumeReading();
        Loop.Patience.Arm(_timer, Loop.ListenedMs + timeoutMs);
        if (Output.PendingBytes == 0)
        {
            EndWriting();
        }
        else
        {
            ScheduleSend();
        }
    }

    /// <inheritdoc/>
    public void Send(scoped ReadOnlySpan<byte> bytes)
    {
        if (IsOpen && !bytes.IsEmpty && Output.PendingBytes < MaxProtocolBytes)
        {
            bytes.CopyTo(Output.BeginMessage(bytes.Length));
            Output.EndMessage(bytes.Length);
            ScheduleSend();
        }
    }

    string? IWireHost.OnReady()
    {
        Loop.Patience.Cancel(_timer);
        Identity = _session.Identity;
        MoveTo(ConnectionState.Talking);
        return _owner.OnReady(this);
    }

    bool IWireHost.OnMessage(FrameList message) => _owner.OnMessage(this, message);

    string? IWireHost.OnSubscription(ReadOnlySpan<byte> topic, bool adds) => Topics?.Change(topic, adds);

    protected override long OnReceived(in ReadOnlySequence<byte> buffer)
    {
        if (State == ConnectionState.Lingering)
        {
            return buffer.Length;
        }

        long taken;
        string? problem;
        try
        {
            taken = _session.Take(in buffer, out problem);
        }
        catch
        {
            Close("a fault of the node"); // the messages before this one must not come again
            throw;
        }

        if (problem is not null)
        {
            Refuse(problem);
        }
        else if (_peerEnded && !_session.HoldsMessage)
        {
            Close("the peer closed the connection");
        }

        return taken;
    }

    internal override void OnPartialRefused(PartialFault fault) => Refuse(PartialProblem.Of(fault));

    /// <summary>A message that waits for room keeps the connection.</summary>
    protected override bool OnPeerEnded()
    {
        _peerEnded = true;
        return State == ConnectionState.Talking && _session.HoldsMessage;
    }

    protected override void OnSent()
    {
        _unsent.OnSent(Output.PendingBytes, Output.SentBytes);
        if (State == ConnectionState.Lingering)
        {
            EndWriting();
        }
    }

    protected override void OnClosed(string reason)
    {
        MoveTo(ConnectionState.Closed);
        Loop.Patience.Cancel(_timer);
        _unsent.OnSent(0, Output.SentBytes);
        _owner.OnClosed(this);
    }

    /// <summary>All is sent: a close would be a reset if the peer sent more, and a reset takes what the peer has not read.</summary>
    private void EndWriting()
    {
        SocketEnds.EndWriting(Descriptor);
        Loop.Patience.Arm(_timer, Loop.ListenedMs + EndMs);
    }

    private void Refuse(string problem)
    {
        if (IsOpen)
        {
            _owner.OnRefused(this, problem);
            Close(problem);
        }
    }

    private void OnTimeout()
    {
        if (State == ConnectionState.Greeting)
        {
            Refuse("the handshake was not made in time");
        }
        else
        {
            Close("the peer does not end");
        }
    }

    private void MoveTo(ConnectionState next)
    {
        bool exists = next == ConnectionState.Closed || (State, next)
            is (ConnectionState.Greeting, ConnectionState.Talking) or (ConnectionState.Talking, ConnectionState.Lingering);
        if (!exists || State == ConnectionState.Closed)
        {
            throw new InvalidOperationException($"a connection cannot go from {State} to {next}");
        }

        State = next;
    }

    private sealed class PatienceTimer(ZeroMqConnection connection) : WheelTimer
    {
        public override void OnDue(long nowMs) => connection.OnTimeout();
    }
}
