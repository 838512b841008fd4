namespace Cocaine.Fast.Core.Protocol;

/// <summary>The result of decoding.</summary>
internal enum DecodeStatus : byte
{
    Ok,

    /// <summary>The message is not whole yet.</summary>
    NeedMore,

    /// <summary>The bytes can never become a message.</summary>
    Malformed,

    /// <summary>The message says that it is larger than the limit.</summary>
    TooLarge,
}

/// <summary>The shape of a message's arguments.</summary>
internal enum ArgumentShape : byte
{
    /// <summary><c>[]</c></summary>
    Empty,

    /// <summary><c>[bytes, …]</c></summary>
    Data,

    /// <summary><c>[[category, code], reason?, …]</c></summary>
    Error,

    /// <summary><c>[code, text or number?, …]</c>, the code within 32 bits.</summary>
    CodeText,

    /// <summary>Anything else.</summary>
    Other,
}

/// <summary>
/// The places of a message's parts, as offsets from its first byte. The layout has plain numbers: it stays valid when the bytes are copied,
/// and it keeps no reference to memory that may be shared. Of a message that needs more bytes, it has the parts whose heads are here.
/// </summary>
internal struct MessageLayout
{
    public ulong Channel;
    public ulong Type;

    /// <summary>Length of the whole message; of one that needs more bytes, the least length that it can have.</summary>
    public int TotalBytes;

    public int ArgumentCount;
    public ArgumentShape Shape;

    /// <summary>The first argument is bin, not str. Valid with Data.</summary>
    public bool DataIsBin;

    /// <summary>The message has a bin, str8 or ext somewhere: its sender knows the modern families.</summary>
    public bool SawBin;

    /// <summary>The first argument's bytes. Valid with Data.</summary>
    public int DataOffset, DataLength;

    /// <summary>Valid with Error.</summary>
    public int Category;

    /// <summary>Valid with Error and CodeText.</summary>
    public int Code;

    /// <summary>The number after the code; 0 when there is none. Valid with CodeText.</summary>
    public ulong Number;

    /// <summary>The text after the code; empty when there is none. Valid with Error and CodeText.</summary>
    public int TextOffset, TextLength;

    /// <summary>The arguments array, head included; length 0 while it is not whole.</summary>
    public int ArgumentsOffset, ArgumentsLength;

    /// <summary>The headers array, head included; length 0 when there is none.</summary>
    public int HeadersOffset, HeadersLength;

    /// <summary>The mistake. Valid when decoding said Malformed or TooLarge.</summary>
    public string? Problem;
}
