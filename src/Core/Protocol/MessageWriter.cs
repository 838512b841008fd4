using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Text;
using Cocaine.Fast.Core.MessagePack;

namespace Cocaine.Fast.Core.Protocol;

/// <summary>
/// Writes messages of docs/protocol.md to a sink. <c>bin</c> says whether the peer has shown that it knows the modern families. Without it
/// the writer uses only fixstr, str16 and str32 for strings and bytes, because one bin or str8 ends an old peer's connection. A text never
/// needs more than str16.
/// </summary>
[SkipLocalsInit]
internal static class MessageWriter
{
    /// <summary>The longest reason of an error, enough for a traceback; the rest is cut, and the log has all of it.</summary>
    public const int MaxReasonBytes = 8 << 10;

    /// <summary>Longest name of an event.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>
    /// The most bytes of a message without data and headers: outer array 1, channel 9, type 1, arguments 1, pair 11, string head 5.
    /// </summary>
    private const int MaxFrameBytes = 32;

    /// <summary>
    /// Data from here on is given to the sink as it lies: a copy of it costs more than the choice of where it goes.
    /// </summary>
    private const int LongBytes = 4 << 10;

    /// <summary>The channel of heartbeats and terminate on a worker's connection; jobs have the channels above it.</summary>
    public const ulong ControlChannel = 1;

    private const byte Three = 0x93, Four = 0x94, NoArguments = 0x90, OneArgument = 0x91, TwoArguments = 0x92;

    /// <summary>The three trace headers as bare static indexes: C++ workers read them without a check, so every invoke has them.</summary>
    private static ReadOnlySpan<byte> BareTrace => [0x93, 80, 81, 82];

    /// <summary><c>[channel, 0, [data]]</c></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteChunk(MessageSink sink, ulong channel, scoped in Payload data, bool bin)
    {
        int max = MaxFrameBytes + data.Length;
        if (max > sink.MaxContiguousBytes || data.Length >= LongBytes)
        {
            WriteLongChunk(sink, channel, in data, bin);
            return;
        }

        Span<byte> to = sink.BeginMessage(max);
        int at = WriteDataHead(to, channel, data.Length, bin);
        data.CopyTo(to[at..]);
        sink.EndMessage(at + data.Length);
    }

    /// <summary><c>[channel, 2, []]</c></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteClose(MessageSink sink, ulong channel) => WriteEmpty(sink, channel, MessageType.Close);

    /// <summary><c>[channel, type, []]</c></summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void WriteEmpty(MessageSink sink, ulong channel, byte type)
    {
        Span<byte> to = sink.BeginMessage(MaxFrameBytes);
        int at = WriteStart(to, Three, channel, type);
        to[at] = NoArguments;
        sink.EndMessage(at + 1);
    }

    /// <summary><c>[channel, type, [], headers?]</c></summary>
    /// <param name="headers">An encoded headers array; empty for none.</param>
    public static void WriteEmpty(MessageSink sink, ulong channel, byte type, scoped ReadOnlySpan<byte> headers)
    {
        Span<byte> start = stackalloc byte[MaxFrameBytes];
        int at = WriteStart(start, headers.IsEmpty ? Three : Four, channel, type);
        start[at++] = NoArguments;
        WriteTwo(sink, start[..at], headers);
    }

    /// <summary><c>[channel, 1, [[category, code], reason], headers?]</c></summary>
    public static void WriteError(
        MessageSink sink, ulong channel, int category, int code, scoped ReadOnlySpan<byte> reason, in ErrorHeaders headers = default)
    {
        reason = Cut(reason);
        Span<byte> tail = stackalloc byte[ErrorHeaders.MaxEncodedBytes];
        tail = tail[..headers.Write(tail)];
        Span<byte> to = stackalloc byte[MaxFrameBytes];
        int at = WriteStart(to, tail.IsEmpty ? Three : Four, channel, MessageType.Error);
        to[at++] = TwoArguments;
        to[at++] = TwoArguments;
        at += MsgPackEncoder.WriteSigned(to[at..], category);
        at += MsgPackEncoder.WriteSigned(to[at..], code);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)reason.Length, modern: false);
        int length = at + reason.Length + tail.Length;
        if (length > sink.MaxContiguousBytes)
        {
            sink.WriteLong(to[..at], new Payload(reason), tail);
            return;
        }

        Span<byte> message = sink.BeginMessage(length);
        to[..at].CopyTo(message);
        reason.CopyTo(message[at..]);
        tail.CopyTo(message[(at + reason.Length)..]);
        sink.EndMessage(length);
    }

    /// <inheritdoc cref="WriteError(MessageSink, ulong, int, int, ReadOnlySpan{byte}, in ErrorHeaders)"/>
    public static void WriteError(
        MessageSink sink, ulong channel, int category, int code, string reason, in ErrorHeaders headers = default) =>
        WriteError(sink, channel, category, code, Encoding.UTF8.GetBytes(reason), in headers);

    /// <summary><c>[channel, 0, [event], headers]</c>: node to worker.</summary>
    /// <param name="headers">An encoded headers array with the three trace headers; empty for the bare ones.</param>
    public static void WriteInvoke(MessageSink sink, ulong channel, scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> headers)
    {
        if (headers.IsEmpty)
        {
            headers = BareTrace;
        }

        WriteNamed(sink, channel, name, headers, bin: false);
    }

    /// <summary>
    /// <c>[channel, 0, [event], headers?]</c>: client to node. The first message of a connection goes with <paramref name="bin"/>, which
    /// tells the node that this client knows bin.
    /// </summary>
    public static void WriteEnqueue(MessageSink sink, ulong channel, scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> headers,
        bool bin) =>
        WriteNamed(sink, channel, name, headers, bin);

    /// <summary><c>[channel, 0, [value]]</c>, the value already encoded.</summary>
    public static void WriteValue(MessageSink sink, ulong channel, scoped ReadOnlySpan<byte> value)
    {
        Span<byte> start = stackalloc byte[MaxFrameBytes];
        int at = WriteStart(start, Three, channel, MessageType.Chunk);
        start[at++] = OneArgument;
        WriteTwo(sink, start[..at], value);
    }

    /// <summary><c>[channel, 0, arguments]</c>, the arguments array already encoded.</summary>
    public static void WriteArguments(MessageSink sink, ulong channel, scoped ReadOnlySpan<byte> arguments)
    {
        Span<byte> start = stackalloc byte[MaxFrameBytes];
        int at = WriteStart(start, Three, channel, MessageType.Chunk);
        WriteTwo(sink, start[..at], arguments);
    }

    /// <summary><c>[1, 0, []]</c></summary>
    public static void WriteHeartbeat(MessageSink sink) => WriteEmpty(sink, ControlChannel, ControlType.Heartbeat);

    /// <summary><c>[1, 1, [code, text]]</c></summary>
    public static void WriteTerminate(MessageSink sink, int code, string text)
    {
        ReadOnlySpan<byte> reason = Cut(Encoding.UTF8.GetBytes(text));
        Span<byte> to = stackalloc byte[MaxFrameBytes];
        int at = WriteStart(to, Three, ControlChannel, ControlType.Terminate);
        to[at++] = TwoArguments;
        at += MsgPackEncoder.WriteSigned(to[at..], code);
        at += MsgPackEncoder.WriteStringHead(to[at..], (uint)reason.Length, modern: false);
        WriteTwo(sink, to[..at], reason);
    }

    /// <summary><c>[1, 3, [count, from]]</c></summary>
    public static void WriteRecall(MessageSink sink, int count, ulong from)
    {
        Span<byte> to = sink.BeginMessage(MaxFrameBytes);
        int at = WriteStart(to, Three, ControlChannel, ControlType.Recall);
        to[at++] = TwoArguments;
        at += MsgPackEncoder.WriteUnsigned(to[at..], (ulong)count);
        at += MsgPackEncoder.WriteUnsigned(to[at..], from);
        sink.EndMessage(at);
    }

    /// <summary>
    /// <c>[control, 2, [channel, 1]]</c> asks the peer to hold its chunks on the channel; <c>[control, 2, [channel, 0]]</c>, to go on.
    /// </summary>
    public static void WriteFlow(MessageSink sink, ulong control, ulong channel, bool hold)
    {
        Span<byte> to = sink.BeginMessage(MaxFrameBytes);
        int at = WriteStart(to, Three, control, ControlType.Flow);
        to[at++] = TwoArguments;
        at += MsgPackEncoder.WriteUnsigned(to[at..], channel);
        to[at++] = hold ? (byte)1 : (byte)0;
        sink.EndMessage(at);
    }

    /// <summary>
    /// <c>[1, 0, [uuid]]</c>, or <c>[1, 0, [uuid, {"pipe": 1, "flow": 1}]]</c> with the wishes of the worker. The uuid goes as bin, to show
    /// that this worker knows bin.
    /// </summary>
    public static void WriteHandshake(MessageSink sink, string uuid, WorkerOffer wanted)
    {
        bool wantsAny = wanted != default;
        byte[] id = Encoding.UTF8.GetBytes(uuid);
        Span<byte> to = sink.BeginMessage(MaxFrameBytes + id.Length + WorkerOffer.MaxEncodedBytes);
        int at = WriteStart(to, Three, ControlChannel, ControlType.Handshake);
        to[at++] = wantsAny ? TwoArguments : OneArgument;
        at += MsgPackEncoder.WriteBinaryHead(to[at..], (uint)id.Length);
        id.CopyTo(to[at..]);
        at += id.Length;
        sink.EndMessage(wantsAny ? at + wanted.Write(to[at..]) : at);
    }

    /// <summary><c>[1, 0, [{"pipe": 1, "flow": 1}]]</c>: the node's answer to a handshake with a map, with the granted wishes.</summary>
    public static void WriteGrant(MessageSink sink, WorkerOffer granted)
    {
        Span<byte> to = sink.BeginMessage(MaxFrameBytes);
        int at = WriteStart(to, Three, ControlChannel, ControlType.Handshake);
        to[at++] = OneArgument;
        sink.EndMessage(at + granted.Write(to[at..]));
    }

    private static void WriteNamed(MessageSink sink, ulong channel, scoped ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> headers,
        bool bin)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(name.Length, MaxNameBytes);
        Span<byte> to = stackalloc byte[MaxFrameBytes + MaxNameBytes];
        int at = WriteStart(to, headers.IsEmpty ? Three : Four, channel, MessageType.Chunk);
        to[at++] = OneArgument;
        at += bin ? MsgPackEncoder.WriteBinaryHead(to[at..], (uint)name.Length)
            : MsgPackEncoder.WriteStringHead(to[at..], (uint)name.Length, modern: false);
        name.CopyTo(to[at..]);
        WriteTwo(sink, to[..(at + name.Length)], headers);
    }

    /// <summary>Writes a message of two parts, in one piece where the sink has room for it.</summary>
    private static void WriteTwo(MessageSink sink, scoped ReadOnlySpan<byte> head, scoped ReadOnlySpan<byte> body)
    {
        int length = head.Length + body.Length;
        if (length > sink.MaxContiguousBytes)
        {
            sink.WriteLong(head, new Payload(body), default);
            return;
        }

        Span<byte> to = sink.BeginMessage(length);
        head.CopyTo(to);
        body.CopyTo(to[head.Length..]);
        sink.EndMessage(length);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WriteLongChunk(MessageSink sink, ulong channel, scoped in Payload data, bool bin)
    {
        Span<byte> head = stackalloc byte[MaxFrameBytes];
        int length = WriteDataHead(head, channel, data.Length, bin);
        sink.WriteLong(head[..length], in data, default);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteDataHead(Span<byte> to, ulong channel, int length, bool bin)
    {
        int at = WriteStart(to, Three, channel, MessageType.Chunk);
        to[at++] = OneArgument;
        if (bin && length <= byte.MaxValue)
        {
            to[at] = 0xc4;
            to[at + 1] = (byte)length;
            return at + 2;
        }

        return at + (bin ? MsgPackEncoder.WriteBinaryHead(to[at..], (uint)length)
            : MsgPackEncoder.WriteStringHead(to[at..], (uint)length, modern: false));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int WriteStart(Span<byte> to, byte outer, ulong channel, byte type)
    {
        to[0] = outer;
        int at;
        if (channel <= 0x7f)
        {
            to[1] = (byte)channel;
            at = 2;
        }
        else if (channel <= ushort.MaxValue)
        {
            to[1] = 0xcd;
            BinaryPrimitives.WriteUInt16BigEndian(to[2..], (ushort)channel);
            at = 4;
            if (channel <= byte.MaxValue)
            {
                to[1] = 0xcc;
                to[2] = (byte)channel;
                at = 3;
            }
        }
        else
        {
            at = 1 + MsgPackEncoder.WriteUnsigned(to[1..], channel);
        }

        to[at] = type;
        return at + 1;
    }

    /// <summary>A reason within its bound, cut between two characters.</summary>
    public static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> reason)
    {
        if (reason.Length <= MaxReasonBytes)
        {
            return reason;
        }

        int end = MaxReasonBytes;
        while (end > 0 && (reason[end] & 0xc0) == 0x80)
        {
            end--;
        }

        return reason[..end];
    }
}
