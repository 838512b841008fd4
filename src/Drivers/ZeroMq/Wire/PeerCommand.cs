namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The commands that this end understands.</summary>
internal enum CommandKind
{
    /// <summary>A command of another name: ignored once the handshake is made.</summary>
    Unknown,
    Ready,
    Error,
    Ping,
    Pong,
    Subscribe,
    Cancel,
}

/// <summary>A command of a peer: its name and the bytes after the name.</summary>
/// <remarks>command-body = command-name command-data; command-name = OCTET 1*255command-name-char.</remarks>
internal readonly ref struct PeerCommand
{
    private const int LifetimeBytes = 2;

    private PeerCommand(CommandKind kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        Kind = kind;
        Name = name;
        Data = data;
    }

    public CommandKind Kind { get; }

    public ReadOnlySpan<byte> Name { get; }

    public ReadOnlySpan<byte> Data { get; }

    /// <summary>Reads the body of a command frame. False when the body has no name.</summary>
    public static bool TryRead(ReadOnlySpan<byte> body, out PeerCommand command)
    {
        if (body.IsEmpty || body[0] == 0 || body.Length < 1 + body[0])
        {
            command = default;
            return false;
        }

        ReadOnlySpan<byte> name = body.Slice(1, body[0]);
        command = new PeerCommand(KindOf(name), name, body[(1 + body[0])..]);
        return true;
    }

    /// <summary>The text of an ERROR: error = %d5 "ERROR" error-reason; error-reason = OCTET *255VCHAR.</summary>
    public string Reason() => Data.IsEmpty || Data[0] > Data.Length - 1 ? "no reason" : WireText.Shown(Data.Slice(1, Data[0]));

    /// <summary>
    /// Writes the answer to a PING with its head; returns the bytes, 0 when the PING is none. ping = %d4 "PING" ping-ttl ping-context;
    /// ping-ttl = 2OCTET; ping-context = 0*16OCTET (rfc.zeromq.org/spec/37).
    /// </summary>
    public int WritePong(Span<byte> to)
    {
        if (Data.Length < LifetimeBytes || Data.Length > LifetimeBytes + WireLimits.MaxContextBytes)
        {
            return 0;
        }

        ReadOnlySpan<byte> name = "\u0004PONG"u8, context = Data[LifetimeBytes..];
        int at = FrameHead.WriteCommand(to, name.Length + context.Length);
        name.CopyTo(to[at..]);
        at += name.Length;
        context.CopyTo(to[at..]);
        return at + context.Length;
    }

    private static CommandKind KindOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("READY"u8) ? CommandKind.Ready
        : name.SequenceEqual("ERROR"u8) ? CommandKind.Error
        : name.SequenceEqual("PING"u8) ? CommandKind.Ping
        : name.SequenceEqual("PONG"u8) ? CommandKind.Pong
        : name.SequenceEqual("SUBSCRIBE"u8) ? CommandKind.Subscribe
        : name.SequenceEqual("CANCEL"u8) ? CommandKind.Cancel : CommandKind.Unknown;
}
