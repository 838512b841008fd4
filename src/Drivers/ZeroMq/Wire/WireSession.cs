using System.Buffers;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The end of a session that has the socket.</summary>
internal interface IWireHost
{
    /// <summary>The session may take the next message now.</summary>
    bool IsTaking { get; }

    /// <summary>Sends bytes of the protocol itself.</summary>
    void Send(scoped ReadOnlySpan<byte> bytes);

    /// <summary>The handshake is made; returns the reason to refuse the peer, or null.</summary>
    string? OnReady();

    /// <summary>A whole message. False when there is no room for it: the message stays, and comes again.</summary>
    bool OnMessage(FrameList message);

    /// <summary>The peer subscribes to a prefix or no longer; returns the reason to refuse the peer, or null.</summary>
    string? OnSubscription(ReadOnlySpan<byte> topic, bool adds);
}

/// <summary>
/// A connection with a ZeroMQ peer, without its socket: takes the bytes of the peer in any pieces, and refuses the first that is wrong.
/// Speaks ZMTP 3.1 with the mechanism NULL, and 3.0, 2.0 and 1.0 with peers of these versions.
/// </summary>
/// <param name="host">The end that has the socket.</param>
/// <param name="own">The type of this end's socket.</param>
internal sealed class WireSession(IWireHost host, SocketKind own)
{
    private FrameScan _scan = new(own == SocketKind.Pub ? WireLimits.MaxSubscriptionBytes : WireLimits.MaxMessageBytes);

    public WirePhase Phase { get; private set; } = WirePhase.Signature;

    /// <summary>The framing of the peer. Valid from OldIdentity and Ready on.</summary>
    public Framing Framing { get; private set; } = Framing.Third;

    /// <summary>The peer knows SUBSCRIBE and CANCEL as commands. Valid from Ready on.</summary>
    public bool HasCommands { get; private set; }

    /// <summary>The type of the peer's socket; null for ZMTP 1.0, which does not tell it. Valid in Messages.</summary>
    public SocketKind? PeerKind { get; private set; }

    /// <summary>The identity that the peer has chosen; empty when it has none. Valid in Messages.</summary>
    public byte[] Identity { get; private set; } = [];

    /// <summary>A message of the peer waits for room. Valid in Messages.</summary>
    public bool HoldsMessage { get; private set; }

    /// <summary>Takes messages off the front of the received bytes.</summary>
    /// <param name="received">The bytes; those that were not taken before come first again.</param>
    /// <param name="problem">The reason why the peer is refused, or null.</param>
    /// <returns>The bytes that were taken.</returns>
    public long Take(in ReadOnlySequence<byte> received, out string? problem)
    {
        problem = null;
        long taken = 0;
        while (taken < received.Length && host.IsTaking && Phase != WirePhase.Ended)
        {
            ReadOnlySequence<byte> rest = taken == 0 ? received : received.Slice(taken);
            long count = Phase == WirePhase.Messages ? TakeMessage(in rest, out problem) : TakeHandshake(in rest, out problem);
            if (problem is not null)
            {
                MoveTo(WirePhase.Ended);
                break;
            }

            if (count < 0)
            {
                break;
            }

            taken += count;
        }

        return taken;
    }

    /// <summary>Returns the taken bytes, or -1 when more are needed.</summary>
    private int TakeHandshake(in ReadOnlySequence<byte> rest, out string? problem)
    {
        problem = null;
        ReadOnlySpan<byte> bytes = rest.FirstSpan;
        if (!rest.IsSingleSegment)
        {
            const long Enough = WireLimits.MaxCommandBytes + FrameHead.MaxBytes;
            bytes = rest.Slice(0, Math.Min(rest.Length, Enough)).ToArray(); // once for a connection, if at all
        }

        return Phase switch
        {
            WirePhase.Signature => TakeSignature(bytes),
            WirePhase.Version => TakeVersion(bytes, out problem),
            WirePhase.Greeting => TakeGreeting(bytes, out problem),
            WirePhase.OldType => TakeOldType(bytes, out problem),
            WirePhase.OldIdentity => TakeOldIdentity(bytes, out problem),
            _ => TakeReady(bytes, out problem),
        };
    }

    private int TakeSignature(ReadOnlySpan<byte> bytes)
    {
        if (bytes[0] == Greeting.First && bytes.Length < Greeting.SignatureBytes)
        {
            return -1;
        }

        if (bytes[0] != Greeting.First || !Greeting.IsSignature(bytes))
        {
            Framing = Framing.First;
            MoveTo(WirePhase.OldIdentity);
            return 0;
        }

        host.Send([Greeting.Major]);
        MoveTo(WirePhase.Version);
        return Greeting.SignatureBytes;
    }

    private int TakeVersion(ReadOnlySpan<byte> bytes, out string? problem)
    {
        problem = bytes[0] == 0 ? "the version 0 is not spoken here" : null;
        if (bytes[0] >= Greeting.Major)
        {
            host.Send(Greeting.Rest);
            MoveTo(WirePhase.Greeting);
        }
        else if (problem is null)
        {
            Framing = Framing.Second;
            host.Send([(byte)own, 0, 0]); // the type, and a frame without bytes: no identity
            MoveTo(WirePhase.OldType);
        }

        return 1;
    }

    private int TakeGreeting(ReadOnlySpan<byte> bytes, out string? problem)
    {
        problem = null;
        if (bytes.Length < Greeting.RestBytes)
        {
            return -1;
        }

        problem = Greeting.ReadRest(bytes, out int minor);
        if (problem is null)
        {
            HasCommands = minor > 0;
            Span<byte> ready = stackalloc byte[ReadyCommand.MaxBytes];
            host.Send(ready[..ReadyCommand.Write(ready, own)]);
            MoveTo(WirePhase.Ready);
        }

        return Greeting.RestBytes;
    }

    private int TakeOldType(ReadOnlySpan<byte> bytes, out string? problem)
    {
        problem = SocketKinds.TryRead(bytes[0], out SocketKind kind) ? null : "the number of the socket type is unknown";
        PeerKind = kind;
        MoveTo(WirePhase.OldIdentity);
        return 1;
    }

    /// <summary>The first frame of a peer of ZMTP 1.0 and 2.0 is its identity.</summary>
    private int TakeOldIdentity(ReadOnlySpan<byte> bytes, out string? problem)
    {
        HeadLook look = FrameHead.Read(bytes, Framing, out FrameHead head);
        problem = look is HeadLook.BadFlags or HeadLook.BadLength || head.HasMore
            ? "the first bytes are no greeting of ZeroMQ"
            : ProblemOfIdentity(head.Length, bytes.Length > head.Bytes ? bytes[head.Bytes] : (byte)1);
        if (problem is not null || look == HeadLook.More || bytes.Length < head.Bytes + head.Length)
        {
            return -1;
        }

        Identity = bytes.Slice(head.Bytes, (int)head.Length).ToArray();
        problem = Begin();
        return head.Bytes + (int)head.Length;
    }

    private int TakeReady(ReadOnlySpan<byte> bytes, out string? problem)
    {
        problem = null;
        HeadLook look = FrameHead.Read(bytes, Framing.Third, out FrameHead head);
        if (look == HeadLook.More)
        {
            return -1;
        }

        if (look != HeadLook.Whole || !head.IsCommand || head.Length > WireLimits.MaxCommandBytes)
        {
            problem = $"no READY of at most {WireLimits.MaxCommandBytes} bytes follows the greeting";
            return -1;
        }

        int end = head.Bytes + (int)head.Length;
        if (bytes.Length < end)
        {
            return -1;
        }

        problem = ReadReady(bytes[head.Bytes..end]) ?? Begin();
        return end;
    }

    private string? ReadReady(ReadOnlySpan<byte> body)
    {
        if (!PeerCommand.TryRead(body, out PeerCommand command) || command.Kind is not (CommandKind.Ready or CommandKind.Error))
        {
            return "no READY follows the greeting";
        }

        if (command.Kind == CommandKind.Error)
        {
            return $"the peer gives up: {command.Reason()}";
        }

        string? problem = ReadyCommand.Read(command.Data, out SocketKind kind, out ReadOnlySpan<byte> identity)
            ?? ProblemOfIdentity(identity.Length, identity.IsEmpty ? (byte)1 : identity[0]);
        PeerKind = kind;
        Identity = problem is null ? identity.ToArray() : [];
        return problem;
    }

    /// <summary>identity = 0*255identity-octet; names that begin with a zero are for peers that have chosen none.</summary>
    private static string? ProblemOfIdentity(long length, byte first) =>
        length > WireLimits.MaxIdentityBytes ? $"an identity is longer than {WireLimits.MaxIdentityBytes} bytes"
        : length > 0 && first == 0 ? "an identity begins with a zero" : null;

    private string? Begin()
    {
        if (PeerKind is { } kind && !SocketKinds.Fit(own, kind))
        {
            return $"a {SocketKinds.Text(kind)} socket does not fit a {SocketKinds.Text(own)} socket";
        }

        MoveTo(WirePhase.Messages);
        return host.OnReady();
    }

    /// <summary>Returns the taken bytes, or -1 when the message is not whole, or stays.</summary>
    private long TakeMessage(in ReadOnlySequence<byte> rest, out string? problem)
    {
        switch (_scan.Look(in rest, Framing, out problem))
        {
            case MessageLook.Whole:
                HoldsMessage = !host.OnMessage(_scan.Message(in rest));
                if (HoldsMessage)
                {
                    return -1;
                }

                int end = _scan.End;
                _scan.Reset();
                return end;
            case MessageLook.Command:
                return TakeCommand(in rest, _scan.Command, out problem);
            default:
                return -1;
        }
    }

    private long TakeCommand(in ReadOnlySequence<byte> rest, FrameHead head, out string? problem)
    {
        problem = head.Length > WireLimits.MaxCommandBytes ? $"a command is longer than {WireLimits.MaxCommandBytes} bytes" : null;
        long end = head.Bytes + head.Length;
        if (problem is not null || rest.Length < end)
        {
            return -1;
        }

        ReadOnlySequence<byte> body = rest.Slice(head.Bytes, head.Length);
        problem = OnCommand(body.IsSingleSegment ? body.FirstSpan : body.ToArray());
        return end;
    }

    private string? OnCommand(ReadOnlySpan<byte> body)
    {
        if (!PeerCommand.TryRead(body, out PeerCommand command))
        {
            return "a command has no name";
        }

        switch (command.Kind)
        {
            case CommandKind.Ping:
                Span<byte> pong = stackalloc byte[ReadyCommand.MaxBytes];
                int length = command.WritePong(pong);
                host.Send(pong[..length]);
                return length > 0 ? null : "a PING has no lifetime, or too long a context";
            case CommandKind.Subscribe or CommandKind.Cancel:
                return host.OnSubscription(command.Data, command.Kind == CommandKind.Subscribe);
            case CommandKind.Error:
                return $"the peer gives up: {command.Reason()}";
            default:
                return null;
        }
    }

    private void MoveTo(WirePhase next)
    {
        if (!Phase.MayBecome(next))
        {
            throw new InvalidOperationException($"a session cannot go from {Phase} to {next}");
        }

        Phase = next;
    }
}
