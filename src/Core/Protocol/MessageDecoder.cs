using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// Finds the parts of the message at the start of some bytes: <c>[channel, type, arguments, headers?, …]</c>, section "A message" of
/// docs/protocol.md. The decoder never throws, whatever the bytes are, and loads each byte once, so that memory which changes meanwhile
/// cannot mislead it.
/// </summary>
internal static class MessageDecoder
{
    private const byte Three = 0x93, Four = 0x94, NoArguments = 0x90, OneArgument = 0x91;

    /// <summary>Decodes from contiguous bytes.</summary>
    [SkipLocalsInit]
    public static DecodeStatus Decode(ReadOnlySpan<byte> input, ProtocolLimits limits, out MessageLayout layout)
    {
        layout = default;
        return TryDecodeUsual(input, ref layout) ? DecodeStatus.Ok : DecodeAny(new MessageCursor(input, limits), ref layout);
    }

    /// <summary>Decodes across segments.</summary>
    public static DecodeStatus Decode(in ReadOnlySequence<byte> input, ProtocolLimits limits, out MessageLayout layout)
    {
        layout = default;
        if (TryDecodeUsual(input.FirstSpan, ref layout))
        {
            return DecodeStatus.Ok;
        }

        return input.IsSingleSegment
            ? DecodeAny(new MessageCursor(input.FirstSpan, limits), ref layout)
            : DecodeAny(new MessageCursor(in input, limits), ref layout);
    }

    /// <summary>
    /// Decodes the frames of a usual request and its answer, whole and below 64 KiB: <c>[n, t, []]</c> and <c>[n, t, [bytes]]</c>, t ≤ 2.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryDecodeUsual(ReadOnlySpan<byte> input, ref MessageLayout layout)
    {
        if (input.Length < 4)
        {
            return false;
        }

        byte outer = input[0];
        if (outer is not (Three or Four))
        {
            return false;
        }

        int at = 2;
        ulong channel = input[1];
        if (channel > 0x7f)
        {
            int width = channel switch { 0xcc => 1, 0xcd => 2, 0xce => 4, 0xcf => 8, _ => 0 };
            at += width;
            if (width == 0 || input.Length < at + 2)
            {
                return false;
            }

            channel = width switch
            {
                1 => input[2],
                2 => BinaryPrimitives.ReadUInt16BigEndian(input[2..]),
                4 => BinaryPrimitives.ReadUInt32BigEndian(input[2..]),
                _ => BinaryPrimitives.ReadUInt64BigEndian(input[2..]),
            };
        }

        byte type = input[at];
        byte arguments = input[at + 1];
        if (type > 2 || arguments is not (NoArguments or OneArgument))
        {
            return false;
        }

        int argumentsOffset = at + 1;
        at += 2;
        if (arguments == OneArgument)
        {
            if (!TryDecodeData(input, ref at, ref layout))
            {
                return false;
            }

            layout.Shape = ArgumentShape.Data;
            layout.ArgumentCount = 1;
        }

        layout.ArgumentsLength = at - argumentsOffset;
        if (outer == Four)
        {
            if (!TryDecodeBareHeaders(input, ref at, ref layout))
            {
                layout = default;
                return false;
            }
        }

        layout.Channel = channel;
        layout.Type = type;
        layout.ArgumentsOffset = argumentsOffset;
        layout.TotalBytes = at;
        return true;
    }

    /// <summary>Decodes no headers, or the bare indexes of static ones that every invoke has; other headers go the long way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryDecodeBareHeaders(ReadOnlySpan<byte> input, ref int at, ref MessageLayout layout)
    {
        if (at >= input.Length || (input[at] & 0xf0) != NoArguments)
        {
            return false;
        }

        int count = input[at] & 0x0f;
        if (count > 0)
        {
            if (count > 3 || count >= input.Length - at)
            {
                return false;
            }

            foreach (byte index in input.Slice(at + 1, count))
            {
                if (index > 0x7f)
                {
                    return false;
                }
            }

            layout.HeadersOffset = at;
            layout.HeadersLength = count + 1;
        }

        at += count + 1;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryDecodeData(ReadOnlySpan<byte> input, ref int at, ref MessageLayout layout)
    {
        if (at >= input.Length)
        {
            return false;
        }

        byte code = input[at];
        int length;
        bool bin = false;
        if ((code & 0xe0) == 0xa0)
        {
            length = code & 0x1f;
            at++;
        }
        else if (code == 0xc4 && at + 1 < input.Length)
        {
            bin = true;
            length = input[at + 1];
            at += 2;
        }
        else if (code is 0xc5 or 0xda && at + 2 < input.Length)
        {
            bin = code == 0xc5;
            length = BinaryPrimitives.ReadUInt16BigEndian(input[(at + 1)..]);
            at += 3;
        }
        else
        {
            return false;
        }

        if (length > input.Length - at)
        {
            return false;
        }

        layout.DataOffset = at;
        layout.DataLength = length;
        layout.DataIsBin = layout.SawBin = bin;
        at += length;
        return true;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static DecodeStatus DecodeAny(MessageCursor cursor, ref MessageLayout layout)
    {
        layout = default;
        DecodeStatus status = DecodeParts(ref cursor, ref layout);
        layout.Problem = cursor.Problem;
        layout.SawBin = cursor.SawBin;
        layout.TotalBytes = cursor.KnownBytes;
        return status;
    }

    private static DecodeStatus DecodeParts(ref MessageCursor cursor, ref MessageLayout layout)
    {
        DecodeStatus status = cursor.ReadHead(out MsgPackToken outer);
        if (status != DecodeStatus.Ok)
        {
            return status;
        }

        if (outer.Kind != MsgPackKind.Array || outer.Bits < 3)
        {
            return cursor.Malformed("a message is an array of 3 or 4 items");
        }

        if (outer.Bits > (ulong)cursor.MaxElements)
        {
            return cursor.Malformed("too many values in one message");
        }

        status = ReadUnsigned(ref cursor, "the channel is not an unsigned number", out layout.Channel);
        if (status == DecodeStatus.Ok)
        {
            status = ReadUnsigned(ref cursor, "the type is not an unsigned number", out layout.Type);
        }

        if (status == DecodeStatus.Ok)
        {
            status = DecodeArguments(ref cursor, ref layout);
        }

        if (status == DecodeStatus.Ok && outer.Bits > 3)
        {
            status = DecodeHeaders(ref cursor, ref layout);
        }

        return status == DecodeStatus.Ok && outer.Bits > 4 ? cursor.SkipValues(outer.Bits - 4, 1) : status;
    }

    private static DecodeStatus ReadUnsigned(ref MessageCursor cursor, string problem, out ulong value)
    {
        DecodeStatus status = cursor.ReadHead(out MsgPackToken token);
        value = token.Bits;
        return status == DecodeStatus.Ok && token.Kind != MsgPackKind.Unsigned ? cursor.Malformed(problem) : status;
    }

    private static DecodeStatus DecodeArguments(ref MessageCursor cursor, ref MessageLayout layout)
    {
        int start = cursor.Position;
        DecodeStatus status = cursor.ReadHead(out MsgPackToken array);
        if (status != DecodeStatus.Ok)
        {
            return status;
        }

        if (array.Kind != MsgPackKind.Array)
        {
            return cursor.Malformed("the arguments are not an array");
        }

        ulong left = array.Bits;
        layout.ArgumentCount = (int)Math.Min(left, int.MaxValue);
        layout.ArgumentsOffset = start;
        if (left > 0)
        {
            status = DecodeFirst(ref cursor, ref layout);
            left--;
            if (status == DecodeStatus.Ok && left > 0 && (layout.Shape is ArgumentShape.Error or ArgumentShape.CodeText))
            {
                status = DecodeText(ref cursor, ref layout);
                left--;
            }
        }

        if (status == DecodeStatus.Ok)
        {
            status = cursor.SkipValues(left, 2);
        }

        layout.ArgumentsLength = status == DecodeStatus.Ok ? cursor.Position - start : 0;
        return status;
    }

    private static DecodeStatus DecodeFirst(ref MessageCursor cursor, ref MessageLayout layout)
    {
        DecodeStatus status = cursor.ReadHead(out MsgPackToken first);
        if (status != DecodeStatus.Ok)
        {
            return status;
        }

        if (first.IsBytes)
        {
            layout.Shape = ArgumentShape.Data;
            layout.DataOffset = cursor.Position;
            layout.DataLength = (int)first.Bits; // within MaxMessageBytes: ReadHead checked it
            layout.DataIsBin = first.Kind == MsgPackKind.Binary;
            return cursor.SkipBody(first.Bits);
        }

        if (first.IsInteger)
        {
            layout.Shape = TryInt32(first, out layout.Code) ? ArgumentShape.CodeText : ArgumentShape.Other;
            return DecodeStatus.Ok;
        }

        if (first is { Kind: MsgPackKind.Array, Bits: 2 })
        {
            return DecodePair(ref cursor, ref layout);
        }

        layout.Shape = ArgumentShape.Other;
        status = cursor.SkipBody(first.BodyBytes);
        return status == DecodeStatus.Ok ? cursor.SkipValues(first.Children, 3) : status;
    }

    /// <summary>Two items: an error's category and code, or another pair.</summary>
    private static DecodeStatus DecodePair(ref MessageCursor cursor, ref MessageLayout layout)
    {
        layout.Shape = ArgumentShape.Error;
        for (int i = 0; i < 2; i++)
        {
            DecodeStatus status = cursor.ReadHead(out MsgPackToken token);
            if (status == DecodeStatus.Ok)
            {
                status = cursor.SkipBody(token.BodyBytes);
            }

            if (status != DecodeStatus.Ok)
            {
                return status;
            }

            if (!token.IsInteger || !TryInt32(token, out int value))
            {
                layout.Shape = ArgumentShape.Other;
                status = cursor.SkipValues(token.Children, 4);
                if (status != DecodeStatus.Ok)
                {
                    return status;
                }
            }
            else if (i == 0)
            {
                layout.Category = value;
            }
            else
            {
                layout.Code = value;
            }
        }

        return DecodeStatus.Ok;
    }

    private static DecodeStatus DecodeText(ref MessageCursor cursor, ref MessageLayout layout)
    {
        DecodeStatus status = cursor.ReadHead(out MsgPackToken text);
        if (status != DecodeStatus.Ok)
        {
            return status;
        }

        if (text.IsBytes)
        {
            layout.TextOffset = cursor.Position;
            layout.TextLength = (int)text.Bits;
        }
        else if (text.Kind == MsgPackKind.Unsigned)
        {
            layout.Number = text.Bits;
        }

        status = cursor.SkipBody(text.BodyBytes);
        return status == DecodeStatus.Ok ? cursor.SkipValues(text.Children, 3) : status;
    }

    private static DecodeStatus DecodeHeaders(ref MessageCursor cursor, ref MessageLayout layout)
    {
        int start = cursor.Position;
        DecodeStatus status = cursor.ReadHead(out MsgPackToken headers);
        if (status != DecodeStatus.Ok || headers.Kind == MsgPackKind.Nil)
        {
            return status;
        }

        if (headers.Kind != MsgPackKind.Array)
        {
            return cursor.Malformed("the headers are not an array");
        }

        status = cursor.SkipValues(headers.Bits, 2);
        layout.HeadersOffset = start;
        layout.HeadersLength = cursor.Position - start;
        return status;
    }

    private static bool TryInt32(MsgPackToken token, out int value)
    {
        long wide = (long)token.Bits;
        value = (int)wide;
        return value == wide && (token.Kind == MsgPackKind.Negative || wide >= 0);
    }
}
