using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// The map of a handshake and of the answer to it: the worker lists its wishes, and the node those that it grants. Neither side uses
/// anything that the other did not say.
/// </summary>
/// <param name="Pipe">The shared-memory pipe.</param>
/// <param name="Flow">Flow control of one channel.</param>
/// <param name="Begin">The page about begun jobs, beside the socket.</param>
/// <param name="Concurrency">
/// Jobs that the worker would run at the same time where the manifest does not say; 0 = no wish. Only workers say this, and not the SDK of
/// this repository's .NET, so it is read and never written here.
/// </param>
internal readonly record struct WorkerOffer(bool Pipe, bool Flow, bool Begin = false, int Concurrency = 0)
{
    /// <summary>The most bytes of the map.</summary>
    public const int MaxEncodedBytes = 1 + 6 + 6 + 7;

    private static ReadOnlySpan<byte> PipeKey => "pipe"u8;

    private static ReadOnlySpan<byte> FlowKey => "flow"u8;

    private static ReadOnlySpan<byte> BeginKey => "begin"u8;

    private static ReadOnlySpan<byte> ConcurrencyKey => "concurrency"u8;

    /// <summary>Reads the map that is the last argument of a handshake or of its answer. Keys that nobody knows are skipped.</summary>
    /// <param name="map">The bytes from the map's head on.</param>
    /// <returns>Null when it is no map of names and small numbers.</returns>
    public static WorkerOffer? Read(ReadOnlySpan<byte> map)
    {
        if (MsgPackToken.TryRead(map, out MsgPackToken head) != MsgPackStatus.Ok || head.Kind != MsgPackKind.Map)
        {
            return null;
        }

        WorkerOffer offer = default;
        map = map[head.HeadBytes..];
        for (ulong i = 0; i < head.Bits; i++)
        {
            if (!TryName(ref map, out ReadOnlySpan<byte> name)
                || MsgPackToken.TryRead(map, out MsgPackToken value) != MsgPackStatus.Ok || value.Kind != MsgPackKind.Unsigned)
            {
                return null;
            }

            map = map[value.HeadBytes..];
            offer = name.SequenceEqual(PipeKey) ? offer with { Pipe = value.Bits == 1 }
                : name.SequenceEqual(FlowKey) ? offer with { Flow = value.Bits == 1 }
                : name.SequenceEqual(BeginKey) ? offer with { Begin = value.Bits == 1 }
                : name.SequenceEqual(ConcurrencyKey) ? offer with { Concurrency = (int)Math.Min(value.Bits, int.MaxValue) } : offer;
        }

        return offer;
    }

    /// <summary>Writes the map; returns its length.</summary>
    public int Write(Span<byte> to)
    {
        int at = MsgPackEncoder.WriteMapHead(to, (Pipe ? 1u : 0) + (Flow ? 1u : 0) + (Begin ? 1u : 0));
        at += Pipe ? WriteKey(to[at..], PipeKey) : 0;
        at += Flow ? WriteKey(to[at..], FlowKey) : 0;
        return at + (Begin ? WriteKey(to[at..], BeginKey) : 0);
    }

    private static int WriteKey(Span<byte> to, ReadOnlySpan<byte> key)
    {
        int at = MsgPackEncoder.WriteStringHead(to, (uint)key.Length, modern: false);
        key.CopyTo(to[at..]);
        to[at + key.Length] = 1;
        return at + key.Length + 1;
    }

    private static bool TryName(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (MsgPackToken.TryRead(rest, out MsgPackToken token) != MsgPackStatus.Ok || !token.IsBytes
            || token.Bits > (ulong)(rest.Length - token.HeadBytes))
        {
            return false;
        }

        name = rest.Slice(token.HeadBytes, (int)token.Bits);
        rest = rest[(token.HeadBytes + (int)token.Bits)..];
        return true;
    }
}
