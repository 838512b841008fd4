using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// Flow control of one channel, between two peers that have agreed on it: a receiver asks the sender to hold its chunks on that channel,
/// and later to go on. The message is <c>[control, 2, [channel, 1]]</c> to hold and <c>[control, 2, [channel, 0]]</c> to go on.
/// </summary>
internal static class FlowControl
{
    /// <summary>The version of flow control between a client and a node that this product speaks.</summary>
    public const byte Version = 1;

    /// <summary>The control channel between a client and a node: no call has this number.</summary>
    public const ulong ClientControlChannel = 0;

    /// <summary>
    /// Bytes of one channel that wait for its reader before the sender is asked to hold: as many as a socket takes at once.
    /// </summary>
    public const int HighBytes = 256 << 10;

    /// <summary>Waiting bytes below which the sender is asked to go on: its next bytes find the reader still at work.</summary>
    public const int LowBytes = 64 << 10;

    /// <summary>The header by which a client offers flow control, with the version as its value.</summary>
    public static ReadOnlySpan<byte> OfferName => "cocaine-fast-flow"u8;

    /// <summary>Bytes of the arguments at most: the head of an array in its longest form, and two numbers.</summary>
    private const int MaxArgumentsBytes = 5 + (2 * MsgPackEncoder.MaxHeadBytes);

    /// <summary>Reads the arguments of a flow message: a channel in any width, and 1 or 0. False when they are anything else.</summary>
    public static bool TryRead(in MessageView message, out ulong channel, out bool hold)
    {
        channel = 0;
        hold = false;
        if (message.Layout.ArgumentCount != 2 || message.Layout.ArgumentsLength > MaxArgumentsBytes)
        {
            return false;
        }

        ReadOnlySpan<byte> arguments = message.Arguments;
        if (!TryReadHead(ref arguments, out MsgPackToken array) || array.Kind != MsgPackKind.Array
            || !TryReadHead(ref arguments, out MsgPackToken number) || number.Kind != MsgPackKind.Unsigned
            || !TryReadHead(ref arguments, out MsgPackToken state) || state is not { Kind: MsgPackKind.Unsigned, Bits: <= 1 })
        {
            return false;
        }

        channel = number.Bits;
        hold = state.Bits == 1;
        return true;
    }

    private static bool TryReadHead(ref ReadOnlySpan<byte> from, out MsgPackToken token)
    {
        bool read = MsgPackToken.TryRead(from, out token) == MsgPackStatus.Ok;
        from = read ? from[token.HeadBytes..] : from;
        return read;
    }
}
