using System.Buffers.Binary;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The framings of the versions.</summary>
internal enum Framing : byte
{
    /// <summary>ZMTP 1.0: the length, which counts the flags, and then the flags.</summary>
    First,

    /// <summary>ZMTP 2.0: the flags, and then the length.</summary>
    Second,

    /// <summary>ZMTP 3: as in 2.0, and frames may be commands.</summary>
    Third,
}

/// <summary>The result of a look at the head of a frame.</summary>
internal enum HeadLook
{
    /// <summary>The head is not complete yet.</summary>
    More,

    /// <summary>The head is whole and right.</summary>
    Whole,

    /// <summary>The flags have a bit that has no meaning here.</summary>
    BadFlags,

    /// <summary>The length is negative, or in 1.0 shorter than the flags.</summary>
    BadLength,
}

/// <summary>The head of a frame: its flags and its length. Any bytes may be read as one; the length is not bounded yet.</summary>
/// <param name="Length">The bytes of the frame after the head; never negative.</param>
/// <param name="Bytes">The bytes of the head.</param>
/// <param name="HasMore">Another frame of the same message follows.</param>
/// <param name="IsCommand">The frame is a command.</param>
internal readonly record struct FrameHead(long Length, int Bytes, bool HasMore, bool IsCommand)
{
    /// <summary>The longest head: %xFF, 8 bytes of length and the flags of ZMTP 1.0.</summary>
    public const int MaxBytes = 10;

    private const byte More = 1, Long = 2, Command = 4;
    private const byte LongLength = 0xff;
    private const int LengthBytes = 8;

    /// <summary>Reads a head.</summary>
    public static HeadLook Read(ReadOnlySpan<byte> bytes, Framing framing, out FrameHead head)
    {
        head = default;
        return bytes.IsEmpty ? HeadLook.More
            : framing == Framing.First ? ReadFirst(bytes, out head) : Read(bytes, framing == Framing.Third, out head);
    }

    /// <summary>Writes the head of a frame of a message.</summary>
    /// <param name="to">Takes at least <see cref="MaxBytes"/>.</param>
    /// <param name="framing">The framing of the peer.</param>
    /// <param name="length">The bytes of the frame.</param>
    /// <param name="hasMore">Another frame follows.</param>
    /// <returns>The bytes of the head.</returns>
    public static int Write(Span<byte> to, Framing framing, int length, bool hasMore)
    {
        byte flags = hasMore ? More : (byte)0;
        if (framing != Framing.First)
        {
            bool isLong = length > byte.MaxValue;
            to[0] = (byte)(flags | (isLong ? Long : 0));
            return 1 + (isLong ? WriteLong(to[1..], length) : WriteShort(to[1..], length));
        }

        // The length counts the flags.
        int count = length + 1 >= LongLength ? 1 + WriteLong(to[1..], length + 1L) : WriteShort(to, length + 1);
        if (count > 1)
        {
            to[0] = LongLength;
        }

        to[count] = flags;
        return count + 1;
    }

    /// <summary>Writes the head of a short command.</summary>
    /// <returns>The bytes of the head.</returns>
    public static int WriteCommand(Span<byte> to, int length)
    {
        to[0] = (byte)(Command | (length > byte.MaxValue ? Long : 0));
        return 1 + (length > byte.MaxValue ? WriteLong(to[1..], length) : WriteShort(to[1..], length));
    }

    /// <summary>frame = flags (OCTET | 8OCTET) *OCTET; flags: 1 = more, 2 = long, 4 = command.</summary>
    private static HeadLook Read(ReadOnlySpan<byte> bytes, bool takesCommands, out FrameHead head)
    {
        head = default;
        byte flags = bytes[0];
        bool isCommand = (flags & Command) != 0;
        if ((flags & ~(More | Long | Command)) != 0 || (isCommand && (!takesCommands || (flags & More) != 0)))
        {
            return HeadLook.BadFlags;
        }

        int count = 1 + ((flags & Long) != 0 ? LengthBytes : 1);
        if (bytes.Length < count)
        {
            return HeadLook.More;
        }

        long length = (flags & Long) != 0 ? BinaryPrimitives.ReadInt64BigEndian(bytes[1..]) : bytes[1];
        head = new FrameHead(length, count, (flags & More) != 0, isCommand);
        return length < 0 ? HeadLook.BadLength : HeadLook.Whole;
    }

    /// <summary>frame = (OCTET | %xFF 8OCTET) flags *OCTET; flags: 1 = more (rfc.zeromq.org/spec/13).</summary>
    private static HeadLook ReadFirst(ReadOnlySpan<byte> bytes, out FrameHead head)
    {
        head = default;
        int count = bytes[0] == LongLength ? 1 + LengthBytes : 1;
        if (bytes.Length < count)
        {
            return HeadLook.More;
        }

        long length = count > 1 ? BinaryPrimitives.ReadInt64BigEndian(bytes[1..]) : bytes[0];
        if (length < 1)
        {
            return HeadLook.BadLength;
        }

        if (bytes.Length == count)
        {
            return HeadLook.More;
        }

        byte flags = bytes[count];
        head = new FrameHead(length - 1, count + 1, (flags & More) != 0, IsCommand: false);
        return (flags & ~More) != 0 ? HeadLook.BadFlags : HeadLook.Whole;
    }

    private static int WriteShort(Span<byte> to, int length)
    {
        to[0] = (byte)length;
        return 1;
    }

    private static int WriteLong(Span<byte> to, long length)
    {
        BinaryPrimitives.WriteInt64BigEndian(to, length);
        return LengthBytes;
    }
}
