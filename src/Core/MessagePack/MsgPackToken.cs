using System.Buffers.Binary;

namespace Cocaine.Fast.Core.MessagePack;

/// <summary>The kind of a MessagePack value.</summary>
internal enum MsgPackKind : byte
{
    Nil,
    Boolean,
    Unsigned,
    Negative,
    Float32,
    Float64,
    String,
    Binary,
    Array,
    Map,
    Extension,
}

/// <summary>The result of reading.</summary>
internal enum MsgPackStatus : byte
{
    Ok,

    /// <summary>The bytes end within the value.</summary>
    NeedMore,

    /// <summary>The byte 0xc1, which the format never uses.</summary>
    Invalid,
}

/// <summary>
/// The head of one value: its kind, and its number, count or length. Source: the MessagePack specification,
/// github.com/msgpack/msgpack/blob/master/spec.md.
/// </summary>
/// <param name="Kind">The value's kind.</param>
/// <param name="Bits">The number (two's complement when negative, IEEE bits when a float), the boolean, the count of items or pairs, or
/// the length of the body.</param>
/// <param name="HeadBytes">Bytes of the head; the body follows.</param>
/// <param name="IsModern">The value is bin, str8 or ext: families that peers from before 2013 do not know.</param>
/// <param name="ExtensionType">Type of an extension.</param>
internal readonly record struct MsgPackToken(MsgPackKind Kind, ulong Bits, int HeadBytes, bool IsModern = false, sbyte ExtensionType = 0)
{
    /// <summary>Bytes after the head that belong to the value itself: 0 except for strings, binaries and extensions.</summary>
    public ulong BodyBytes => Kind is MsgPackKind.String or MsgPackKind.Binary or MsgPackKind.Extension ? Bits : 0;

    /// <summary>Values that follow inside this one: items of an array, keys and values of a map.</summary>
    public ulong Children => Kind == MsgPackKind.Array ? Bits : Kind == MsgPackKind.Map ? Bits * 2 : 0;

    public bool IsInteger => Kind is MsgPackKind.Unsigned or MsgPackKind.Negative;

    public bool IsBytes => Kind is MsgPackKind.String or MsgPackKind.Binary;

    public double AsDouble => Kind switch
    {
        MsgPackKind.Float32 => BitConverter.UInt32BitsToSingle((uint)Bits),
        MsgPackKind.Float64 => BitConverter.UInt64BitsToDouble(Bits),
        MsgPackKind.Negative => (long)Bits,
        _ => Bits,
    };

    /// <summary>
    /// Reads the head at the start of <paramref name="source"/>. Each byte is loaded once: the source may be memory that a hostile
    /// process writes to meanwhile.
    /// </summary>
    public static MsgPackStatus TryRead(ReadOnlySpan<byte> source, out MsgPackToken token)
    {
        token = default;
        if (source.IsEmpty)
        {
            return MsgPackStatus.NeedMore;
        }

        byte code = source[0];
        switch (code)
        {
            case <= 0x7f:
                token = new(MsgPackKind.Unsigned, code, 1);
                return MsgPackStatus.Ok;
            case <= 0x8f:
                token = new(MsgPackKind.Map, (uint)code & 0xf, 1);
                return MsgPackStatus.Ok;
            case <= 0x9f:
                token = new(MsgPackKind.Array, (uint)code & 0xf, 1);
                return MsgPackStatus.Ok;
            case <= 0xbf:
                token = new(MsgPackKind.String, (uint)code & 0x1f, 1);
                return MsgPackStatus.Ok;
            case >= 0xe0:
                token = new(MsgPackKind.Negative, (ulong)(sbyte)code, 1);
                return MsgPackStatus.Ok;
            case 0xc0:
                token = new(MsgPackKind.Nil, 0, 1);
                return MsgPackStatus.Ok;
            case 0xc1:
                return MsgPackStatus.Invalid;
            case 0xc2 or 0xc3:
                token = new(MsgPackKind.Boolean, (ulong)(code & 1), 1);
                return MsgPackStatus.Ok;
            default:
                return TryReadSized(code, source, out token);
        }
    }

    private static MsgPackStatus TryReadSized(byte code, ReadOnlySpan<byte> source, out MsgPackToken token)
    {
        token = default;
        int width = WidthOf(code);
        bool extension = code is >= 0xc7 and <= 0xc9 or >= 0xd4 and <= 0xd8;
        int head = 1 + width + (extension ? 1 : 0);
        if (source.Length < head)
        {
            return MsgPackStatus.NeedMore;
        }

        ulong bits = width switch
        {
            0 => 1UL << (code - 0xd4), // fixext 1, 2, 4, 8, 16
            1 => source[1],
            2 => BinaryPrimitives.ReadUInt16BigEndian(source[1..]),
            4 => BinaryPrimitives.ReadUInt32BigEndian(source[1..]),
            _ => BinaryPrimitives.ReadUInt64BigEndian(source[1..]),
        };
        token = code switch
        {
            <= 0xc6 => new(MsgPackKind.Binary, bits, head, IsModern: true),
            <= 0xc9 or >= 0xd4 and <= 0xd8 => new(MsgPackKind.Extension, bits, head, IsModern: true, (sbyte)source[head - 1]),
            0xca => new(MsgPackKind.Float32, bits, head),
            0xcb => new(MsgPackKind.Float64, bits, head),
            <= 0xcf => new(MsgPackKind.Unsigned, bits, head),
            <= 0xd3 => Signed(bits, width, head),
            0xd9 => new(MsgPackKind.String, bits, head, IsModern: true),
            <= 0xdb => new(MsgPackKind.String, bits, head),
            <= 0xdd => new(MsgPackKind.Array, bits, head),
            _ => new(MsgPackKind.Map, bits, head),
        };
        return MsgPackStatus.Ok;
    }

    private static MsgPackToken Signed(ulong bits, int width, int head)
    {
        int shift = 64 - (8 * width);
        long value = (long)(bits << shift) >> shift;
        return new(value < 0 ? MsgPackKind.Negative : MsgPackKind.Unsigned, (ulong)value, head);
    }

    /// <summary>Bytes of the number, count or length that follows the code.</summary>
    private static int WidthOf(byte code) => code switch
    {
        0xc4 or 0xc7 or 0xcc or 0xd0 or 0xd9 => 1,
        0xc5 or 0xc8 or 0xcd or 0xd1 or 0xda or 0xdc or 0xde => 2,
        0xc6 or 0xc9 or 0xca or 0xce or 0xd2 or 0xdb or 0xdd or 0xdf => 4,
        0xcb or 0xcf or 0xd3 => 8,
        _ => 0,
    };
}
