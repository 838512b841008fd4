namespace Cocaine.Fast.Core.Protocol;

/// <summary>The limits of one connection. Sections "Limits" and "Headers" of docs/protocol.md.</summary>
public sealed record ProtocolLimits
{
    /// <summary>Room for all parts of a message except its payload.</summary>
    internal const int FramingBytes = 64 << 10;

    /// <summary>The limits that hold unless others are set.</summary>
    public static ProtocolLimits Default { get; } = new();

    /// <summary>Largest payload in bytes: 64 MiB, more than a message should ever have and less than what harms a node.</summary>
    public int MaxMessageBytes { get; init; } = 64 << 20;

    /// <summary>Deepest nesting: 16; the protocol itself needs 4, an app's tag may be a structure.</summary>
    public int MaxDepth { get; init; } = 16;

    /// <summary>Channels open at once: 65,536.</summary>
    public int MaxChannels { get; init; } = 65_536;

    /// <summary>Headers of one message: 64.</summary>
    public int MaxHeaders { get; init; } = 64;

    /// <summary>Bytes of one message's headers: 16 KiB.</summary>
    public int MaxHeaderBytes { get; init; } = 16 << 10;

    /// <summary>
    /// Values in one message: 65,536. The decoder looks at a partial message again when more of it comes; this limit bounds the work.
    /// </summary>
    public int MaxElements { get; init; } = 65_536;
}
