using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>The result of reading a message's headers.</summary>
internal enum HeaderStatus : byte
{
    Ok,

    /// <summary>
    /// A value is neither raw bytes nor, where a number is expected, a number; the table is intact, the message gets a 400.
    /// </summary>
    BadValue,

    /// <summary>The message exceeds the limits on headers; the table is intact, the message gets a 400.</summary>
    TooMany,

    /// <summary>An index past the table: the rest of this connection cannot be understood.</summary>
    Untrusted,
}

/// <summary>
/// Reads headers arrays: each item is an index, or <c>[flag, name or index, value]</c>. Every array of a connection must pass through this
/// reader, in order.
/// </summary>
internal static class HeaderReader
{
    public static HeaderStatus Decode(ReadOnlySpan<byte> headers, HeaderTable table, HeaderSet set, ProtocolLimits limits)
    {
        MessageCursor cursor = new(headers, limits);
        if (cursor.ReadHead(out MsgPackToken array) != DecodeStatus.Ok || array.Kind != MsgPackKind.Array)
        {
            return HeaderStatus.Untrusted;
        }

        HeaderStatus worst = array.Bits > (ulong)limits.MaxHeaders || headers.Length > limits.MaxHeaderBytes ? HeaderStatus.TooMany
            : HeaderStatus.Ok;
        for (ulong i = 0; i < array.Bits; i++)
        {
            HeaderStatus status = DecodeOne(ref cursor, headers, table, set, keep: worst != HeaderStatus.TooMany);
            if (status == HeaderStatus.Untrusted)
            {
                return status;
            }

            worst = worst == HeaderStatus.Ok ? status : worst;
        }

        return worst;
    }

    private static HeaderStatus DecodeOne(ref MessageCursor cursor, ReadOnlySpan<byte> bytes, HeaderTable table, HeaderSet set, bool keep)
    {
        if (cursor.ReadHead(out MsgPackToken item) != DecodeStatus.Ok)
        {
            return HeaderStatus.Untrusted;
        }

        if (item.Kind == MsgPackKind.Unsigned)
        {
            if (!table.TryGet(item.Bits, out ReadOnlySpan<byte> known, out ReadOnlySpan<byte> its))
            {
                return HeaderStatus.Untrusted;
            }

            return !keep || set.Add(known, its, bare: item.Bits is >= HeaderTable.TraceId and <= HeaderTable.ParentId)
                ? HeaderStatus.Ok : HeaderStatus.BadValue;
        }

        if (item is not { Kind: MsgPackKind.Array, Bits: 3 } || cursor.ReadHead(out MsgPackToken flag) != DecodeStatus.Ok
            || flag.Kind != MsgPackKind.Boolean || !TryReadName(ref cursor, bytes, table, out ReadOnlySpan<byte> name))
        {
            return HeaderStatus.Untrusted;
        }

        return DecodeValue(ref cursor, bytes, table, set, name, flag.Bits != 0, keep);
    }

    private static HeaderStatus DecodeValue(
        ref MessageCursor cursor, ReadOnlySpan<byte> bytes, HeaderTable table, HeaderSet set, scoped ReadOnlySpan<byte> name, bool add,
            bool keep)
    {
        int start = cursor.Position;
        if (cursor.ReadHead(out MsgPackToken value) != DecodeStatus.Ok)
        {
            return HeaderStatus.Untrusted;
        }

        if (value.IsBytes)
        {
            ReadOnlySpan<byte> raw = bytes.Slice(cursor.Position, (int)value.Bits);
            _ = cursor.SkipBody(value.Bits);
            bool good = !keep || set.Add(name, raw, bare: false);
            if (add)
            {
                table.Add(name, raw);
            }

            return good ? HeaderStatus.Ok : HeaderStatus.BadValue;
        }

        if (value.Kind == MsgPackKind.Unsigned && !add)
        {
            return !keep || set.AddNumber(name, value.Bits) ? HeaderStatus.Ok : HeaderStatus.BadValue;
        }

        // A value that is not raw bytes gets a 400. With the flag, both sides would count on an entry of unknown size: nothing after it can
        // be trusted.
        _ = cursor.SkipBody(value.BodyBytes);
        _ = cursor.SkipValues(value.Children, 4);
        return add || cursor.Position == start ? HeaderStatus.Untrusted : HeaderStatus.BadValue;
    }

    private static bool TryReadName(ref MessageCursor cursor, ReadOnlySpan<byte> bytes, HeaderTable table, out ReadOnlySpan<byte> name)
    {
        name = default;
        if (cursor.ReadHead(out MsgPackToken token) != DecodeStatus.Ok)
        {
            return false;
        }

        if (token.Kind == MsgPackKind.Unsigned)
        {
            return table.TryGet(token.Bits, out name, out _);
        }

        if (!token.IsBytes)
        {
            return false;
        }

        name = bytes.Slice(cursor.Position, (int)token.Bits);
        return cursor.SkipBody(token.Bits) == DecodeStatus.Ok;
    }
}
