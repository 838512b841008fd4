using System.Buffers.Binary;

namespace Cocaine.Fast.Core.MessagePack;

/// <summary>
/// Writes values in their shortest form to the start of a span, and returns the bytes written. The span must have room: at most
/// <see cref="MaxHeadBytes"/> for a head or a number. Source: the MessagePack specification.
/// </summary>
internal static class MsgPackEncoder
{
    /// <summary>The longest head: a 64-bit number.</summary>
    public const int MaxHeadBytes = 9;

    public static int WriteNil(Span<byte> to)
    {
        to[0] = 0xc0;
        return 1;
    }

    public static int WriteBoolean(Span<byte> to, bool value)
    {
        to[0] = value ? (byte)0xc3 : (byte)0xc2;
        return 1;
    }

    public static int WriteUnsigned(Span<byte> to, ulong value)
    {
        if (value <= 0x7f)
        {
            to[0] = (byte)value;
            return 1;
        }

        return value switch
        {
            <= byte.MaxValue => Write8(to, 0xcc, (byte)value),
            <= ushort.MaxValue => Write16(to, 0xcd, (ushort)value),
            <= uint.MaxValue => Write32(to, 0xce, (uint)value),
            _ => Write64(to, 0xcf, value),
        };
    }

    public static int WriteSigned(Span<byte> to, long value)
    {
        if (value >= 0)
        {
            return WriteUnsigned(to, (ulong)value);
        }

        if (value >= -32)
        {
            to[0] = (byte)value;
            return 1;
        }

        return value switch
        {
            >= sbyte.MinValue => Write8(to, 0xd0, (byte)value),
            >= short.MinValue => Write16(to, 0xd1, (ushort)value),
            >= int.MinValue => Write32(to, 0xd2, (uint)value),
            _ => Write64(to, 0xd3, (ulong)value),
        };
    }

    public static int WriteSingle(Span<byte> to, float value) => Write32(to, 0xca, BitConverter.SingleToUInt32Bits(value));

    public static int WriteDouble(Span<byte> to, double value) => Write64(to, 0xcb, BitConverter.DoubleToUInt64Bits(value));

    public static int WriteArrayHead(Span<byte> to, uint count) => WriteCount(to, count, 0x90, 0xdc);

    public static int WriteMapHead(Span<byte> to, uint count) => WriteCount(to, count, 0x80, 0xde);

    /// <summary>Head of a string; <paramref name="modern"/> allows str8, which old peers do not understand.</summary>
    public static int WriteStringHead(Span<byte> to, uint length, bool modern = true)
    {
        if (length <= 31)
        {
            to[0] = (byte)(0xa0 | length);
            return 1;
        }

        return length switch
        {
            <= byte.MaxValue when modern => Write8(to, 0xd9, (byte)length),
            <= ushort.MaxValue => Write16(to, 0xda, (ushort)length),
            _ => Write32(to, 0xdb, length),
        };
    }

    public static int WriteBinaryHead(Span<byte> to, uint length) => length switch
    {
        <= byte.MaxValue => Write8(to, 0xc4, (byte)length),
        <= ushort.MaxValue => Write16(to, 0xc5, (ushort)length),
        _ => Write32(to, 0xc6, length),
    };

    /// <summary>Head of an extension; its body follows.</summary>
    public static int WriteExtensionHead(Span<byte> to, uint length, sbyte type)
    {
        int head = 1;
        switch (length)
        {
            case 1 or 2 or 4 or 8 or 16:
                to[0] = (byte)(0xd4 + System.Numerics.BitOperations.Log2(length));
                break;
            case <= byte.MaxValue:
                head = Write8(to, 0xc7, (byte)length);
                break;
            case <= ushort.MaxValue:
                head = Write16(to, 0xc8, (ushort)length);
                break;
            default:
                head = Write32(to, 0xc9, length);
                break;
        }

        to[head] = (byte)type;
        return head + 1;
    }

    /// <summary>A timestamp (extension -1) of seconds since 1970 and nanoseconds below 10^9, in the shortest of its three forms.</summary>
    public static int WriteTimestamp(Span<byte> to, long seconds, uint nanoseconds)
    {
        const sbyte Type = -1;
        if (seconds is >= 0 and < 1L << 34)
        {
            ulong packed = ((ulong)nanoseconds << 34) | (ulong)seconds;
            if (packed <= uint.MaxValue)
            {
                int head = WriteExtensionHead(to, 4, Type);
                BinaryPrimitives.WriteUInt32BigEndian(to[head..], (uint)packed);
                return head + 4;
            }

            int wide = WriteExtensionHead(to, 8, Type);
            BinaryPrimitives.WriteUInt64BigEndian(to[wide..], packed);
            return wide + 8;
        }

        int full = WriteExtensionHead(to, 12, Type);
        BinaryPrimitives.WriteUInt32BigEndian(to[full..], nanoseconds);
        BinaryPrimitives.WriteInt64BigEndian(to[(full + 4)..], seconds);
        return full + 12;
    }

    private static int WriteCount(Span<byte> to, uint count, byte fix, byte code)
    {
        if (count <= 15)
        {
            to[0] = (byte)(fix | count);
            return 1;
        }

        return count <= ushort.MaxValue ? Write16(to, code, (ushort)count) : Write32(to, (byte)(code + 1), count);
    }

    private static int Write8(Span<byte> to, byte code, byte value)
    {
        to[1] = value;
        to[0] = code;
        return 2;
    }

    private static int Write16(Span<byte> to, byte code, ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(to[1..], value);
        to[0] = code;
        return 3;
    }

    private static int Write32(Span<byte> to, byte code, uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(to[1..], value);
        to[0] = code;
        return 5;
    }

    private static int Write64(Span<byte> to, byte code, ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(to[1..], value);
        to[0] = code;
        return 9;
    }
}
