using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// A message over the limit of a message, of which the channel and the end are known all the same: the last value is the one that is too
/// long. It is a chunk, or an error with its reason. A reader that passes over the message can go on behind it.
/// </summary>
/// <param name="Channel">The message's channel.</param>
/// <param name="Type">Its type: chunk or error.</param>
/// <param name="BodyBytes">The bytes of the value that is too long.</param>
/// <param name="TotalBytes">The bytes of the message.</param>
internal readonly record struct OverlongMessage(ulong Channel, ulong Type, long BodyBytes, long TotalBytes)
{
    /// <summary>The most bytes before the long value: outer array 5, channel 9, type 9, arguments 5, pair 5 and 18, head 5.</summary>
    public const int MaxHeadBytes = 64;

    /// <summary>Reads the beginning of a message that the decoder has found too large. Null when its end is not known.</summary>
    public static OverlongMessage? Read(ReadOnlySpan<byte> start, ProtocolLimits limits)
    {
        int at = 0;
        if (!TryNext(start, ref at, MsgPackKind.Array, out MsgPackToken outer) || outer.Bits != 3
            || !TryNext(start, ref at, MsgPackKind.Unsigned, out MsgPackToken channel)
            || !TryNext(start, ref at, MsgPackKind.Unsigned, out MsgPackToken type)
            || !TryNext(start, ref at, MsgPackKind.Array, out MsgPackToken arguments))
        {
            return null;
        }

        bool isKnown = (type.Bits, arguments.Bits) switch
        {
            (MessageType.Chunk, 1) => true,
            (MessageType.Error, 2) => TryNext(start, ref at, MsgPackKind.Array, out MsgPackToken pair) && pair.Bits == 2
                && TryNumber(start, ref at) && TryNumber(start, ref at),
            _ => false,
        };
        if (!isKnown || MsgPackToken.TryRead(start[at..], out MsgPackToken body) != MsgPackStatus.Ok || !body.IsBytes
            || body.Bits <= (ulong)limits.MaxMessageBytes)
        {
            return null;
        }

        return new OverlongMessage(channel.Bits, type.Bits, (long)body.Bits, at + body.HeadBytes + (long)body.Bits);
    }

    private static bool TryNext(ReadOnlySpan<byte> start, ref int at, MsgPackKind kind, out MsgPackToken token)
    {
        bool isRead = MsgPackToken.TryRead(start[at..], out token) == MsgPackStatus.Ok && token.Kind == kind;
        at += token.HeadBytes;
        return isRead;
    }

    private static bool TryNumber(ReadOnlySpan<byte> start, ref int at)
    {
        bool isRead = MsgPackToken.TryRead(start[at..], out MsgPackToken token) == MsgPackStatus.Ok && token.IsInteger;
        at += token.HeadBytes;
        return isRead;
    }
}
