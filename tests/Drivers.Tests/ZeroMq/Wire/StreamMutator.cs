using static Cocaine.Fast.Drivers.Tests.ZeroMq.Wire.WireBytes;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;

/// <summary>Makes streams of bytes that were right once: a given seed gives the same streams.</summary>
internal sealed class StreamMutator(int seed)
{
    private static readonly byte[] Edges = [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x7e, 0x7f, 0x80, 0xfe, 0xff];
    private static readonly long[] Lengths = [0, 1, 254, 255, 256, 8192, 8193, 64 << 20, int.MaxValue, 1L << 32, long.MaxValue, -1, long.MinValue];
    private readonly Random _random = new(seed);

    /// <summary>Streams of peers that fit some socket of the node.</summary>
    public static byte[][] Seeds { get; } =
    [
        [.. Third("DEALER", "me"), .. Message([], "hello"u8.ToArray()), .. Message([], new byte[300])],
        [.. Third("REQ", minor: 1), .. Ping("context"), .. Message([], "hello"u8.ToArray())],
        [.. Third("PUSH"), .. Message("one"u8.ToArray(), "two"u8.ToArray()), .. Message(new byte[300])],
        [.. Third("SUB"), .. Message([1, .. "topic"u8]), .. Message([0, .. "topic"u8])],
        [.. Third("SUB", minor: 1), .. Command([.. Name("SUBSCRIBE"), .. "topic"u8]), .. Command([.. Name("CANCEL"), .. "topic"u8])],
        [.. Third("PUB"), .. Message("topic"u8.ToArray(), "text"u8.ToArray())],
        [.. Second(5, "me"), .. Message([], "hello"u8.ToArray())],
        [.. Second(8), .. Message("one"u8.ToArray(), "two"u8.ToArray())],
        [.. First("me"), .. OldMessage([], "hello"u8.ToArray()), .. OldMessage(new byte[300])],
        [.. Greeting(), .. Command([.. Name("ERROR"), .. Name("why")])],
    ];

    public Random Random => _random;

    public byte[] Next()
    {
        List<byte> stream = [.. Seeds[_random.Next(Seeds.Length)]];
        for (int count = _random.Next(1, 5); count > 0 && stream.Count > 0; count--)
        {
            Mutate(stream, _random.Next(stream.Count));
        }

        return [.. stream];
    }

    private void Mutate(List<byte> stream, int at)
    {
        int few = Math.Min(_random.Next(1, 12), stream.Count - at);
        switch (_random.Next(8))
        {
            case 0:
                stream[at] ^= (byte)(1 << _random.Next(8));
                break;
            case 1 or 2:
                stream[at] = Edges[_random.Next(Edges.Length)];
                break;
            case 3:
                stream.RemoveRange(at, few);
                break;
            case 4:
                stream.InsertRange(at, stream.GetRange(at, few));
                break;
            case 5:
                byte[] noise = new byte[few];
                _random.NextBytes(noise);
                stream.InsertRange(at, noise);
                break;
            case 6:
                stream.RemoveRange(at, stream.Count - at);
                break;
            default:
                stream.InsertRange(at, [(byte)(2 | _random.Next(8)), .. Long(Lengths[_random.Next(Lengths.Length)])]);
                break;
        }
    }
}
