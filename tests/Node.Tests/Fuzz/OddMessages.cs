using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Node.Tests.Fuzz;

/// <summary>
/// Makes the input of the fuzz tests from a seed: messages that are whole but odd (types, channels, shapes, numbers at their limits, depth),
/// and good ones that are broken (bits, cuts, doubled parts, lengths that lie).
/// </summary>
internal sealed class OddMessages(Random random)
{
    private static readonly ulong[] Limits =
    [
        0, 1, 2, 3, 6, 7, 9, 127, 128, 255, 256, 65_535, 65_536, int.MaxValue, 1UL << 31, uint.MaxValue, 1UL << 32, long.MaxValue, 1UL << 63,
        ulong.MaxValue - 1, ulong.MaxValue,
    ];

    /// <summary>Heads of MessagePack that announce more than there is: texts, bytes, extensions, arrays and maps with long lengths.</summary>
    private static readonly byte[] LongHeads = [0xc6, 0xc9, 0xdb, 0xdd, 0xdf, 0xc5, 0xda, 0xdc, 0xde];

    public Random Random => random;

    /// <summary>The messages that a reader of the bytes finds: those behind the first one that is none are no input.</summary>
    public static int Count(ReadOnlySpan<byte> bytes)
    {
        int count = 1;
        while (MessageDecoder.Decode(bytes, ProtocolLimits.Default, out MessageLayout layout) == DecodeStatus.Ok)
        {
            bytes = bytes[layout.TotalBytes..];
            count++;
        }

        return count;
    }

    /// <summary>A whole message with anything in the places of channel, type, arguments and headers.</summary>
    public byte[] Message(ulong channel, int types = 3)
    {
        List<byte> to = [];
        int parts = random.Next(10) switch { 0 => random.Next(8), < 4 => 4, _ => 3 };
        to.Add((byte)(0x90 | parts));
        for (int part = 0; part < parts; part++)
        {
            switch (part)
            {
                case 0 when random.Next(20) > 0:
                    Number(to, random.Next(30) == 0 ? Any(Limits) : channel);
                    break;
                case 1 when random.Next(20) > 0:
                    Number(to, random.Next(12) == 0 ? Any(Limits) : (ulong)random.Next(types));
                    break;
                case 2 when random.Next(20) > 0:
                    Values(to, 0x90, random.Next(4), depth: 0);
                    break;
                case 3 when random.Next(4) > 0:
                    Headers(to);
                    break;
                default:
                    Value(to, depth: 0);
                    break;
            }
        }

        return [.. to];
    }

    /// <summary>Breaks bytes in one to three ways.</summary>
    public byte[] Broken(ReadOnlySpan<byte> good)
    {
        List<byte> bytes = [.. good];
        for (int ways = random.Next(1, 4); ways > 0 && bytes.Count > 0; ways--)
        {
            int at = random.Next(bytes.Count);
            int end = random.Next(at, bytes.Count + 1);
            switch (random.Next(9))
            {
                case 0:
                    bytes[at] ^= (byte)(1 << random.Next(8));
                    break;
                case 1:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 2:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                case 3:
                    bytes.RemoveRange(at, end - at);
                    break;
                case 4:
                    bytes.InsertRange(random.Next(bytes.Count), bytes.GetRange(at, end - at));
                    break;
                case 5:
                    bytes.InsertRange(at, Bytes(random.Next(1, 20)));
                    break;
                case 6:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)(random.Next(2) == 0 ? 0x91 : 0x81), random.Next(1, 3000)));
                    break;
                case 7:
                    bytes[at] = Any(LongHeads);
                    break;
                default:
                    bytes.InsertRange(at, [Any(LongHeads), .. LyingLength()]);
                    break;
            }
        }

        return [.. bytes];
    }

    public byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    public T Any<T>(IReadOnlyList<T> from) => from[random.Next(from.Count)];

    private byte[] LyingLength()
    {
        byte[] length = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(length, (uint)Any(Limits));
        return length;
    }

    private void Values(List<byte> to, int head, int count, int depth)
    {
        to.Add((byte)(head | count));
        for (int i = 0; i < (head == 0x80 ? 2 * count : count); i++)
        {
            Value(to, depth + 1);
        }
    }

    /// <summary>A list of triples as headers are, and some that are not.</summary>
    private void Headers(List<byte> to)
    {
        int count = random.Next(4);
        to.Add((byte)(0x90 | count));
        for (int i = 0; i < count; i++)
        {
            if (random.Next(4) == 0)
            {
                Value(to, depth: 1);
                continue;
            }

            to.AddRange([0x93, random.Next(2) == 0 ? (byte)0xc2 : (byte)0xc3]);
            if (random.Next(2) == 0)
            {
                Number(to, (ulong)random.Next(90));
            }
            else
            {
                Text(to, Any((byte[][])[[.. "request_timeout"u8], [.. "retry_limit"u8], [.. "trace_id"u8], Bytes(5)]));
            }

            Value(to, depth: 2);
        }
    }

    private void Value(List<byte> to, int depth)
    {
        switch (random.Next(depth > 6 ? 8 : 11))
        {
            case 0:
                to.Add(Any((byte[])[0xc0, 0xc2, 0xc3]));
                break;
            case 1 or 2:
                Number(to, Any(Limits));
                break;
            case 3:
                to.AddRange([0xd3, .. Bytes(8)]);
                break;
            case 4:
                to.AddRange([0xcb, .. Bytes(8)]);
                break;
            case 5:
                Text(to, Bytes(random.Next(30)));
                break;
            case 6:
                byte[] data = Bytes(random.Next(60));
                to.AddRange([0xc4, (byte)data.Length, .. data]);
                break;
            case 7:
                to.AddRange([0xd7, .. Bytes(9)]);
                break;
            case 8:
                Values(to, 0x80, random.Next(3), depth);
                break;
            case 9:
                Values(to, 0x90, random.Next(4), depth);
                break;
            default:
                to.AddRange(Enumerable.Repeat((byte)0x91, random.Next(1, 25)));
                to.Add(0xc0);
                break;
        }
    }

    private static void Text(List<byte> to, byte[] text) => to.AddRange([0xd9, (byte)text.Length, .. text]);

    private static void Number(List<byte> to, ulong number)
    {
        Span<byte> eight = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(eight, number);
        to.AddRange(number < 128 ? [(byte)number] : number <= uint.MaxValue ? [0xce, .. eight[4..]] : [0xcf, .. eight]);
    }
}
