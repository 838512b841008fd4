using System.Buffers;
using System.Runtime.CompilerServices;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// A connection that carries messages of docs/protocol.md. It takes them off the received bytes one by one, passes every header array
/// through the connection's table in order, and closes the connection when the bytes cannot be understood.
/// </summary>
internal abstract class MessageConnection(EventLoop loop, int descriptor, ProtocolLimits limits) : SocketConnection(loop, descriptor)
{
    // Joins a message that lies across two blocks; one for each thread, because a thread handles one message at a time.
    [ThreadStatic]
    private static byte[]? _scratch;

    private const int ScratchBytes = 16 << 10;

    /// <summary>A message from here on is long: what it costs to copy is more than what it costs to keep its blocks.</summary>
    private const int LongBytes = 4 << 10;

    private long _skipBytes;  // the rest of a message that is too long: to be passed over
    private HeaderTable? _table;
    private HeaderSet? _headers;

    /// <summary>The peer has sent a MessagePack bin, so it gets payloads as bin too.</summary>
    public bool PeerSpeaksBin { get; private set; }

    public ProtocolLimits Limits { get; } = limits;

    /// <summary>
    /// The headers of the message being handled; valid while <see cref="OnMessage"/> runs, and only when its status allows it.
    /// </summary>
    protected HeaderSet Headers => _headers ??= new HeaderSet();

    /// <summary>A whole message. <paramref name="headers"/> is the result of reading its headers.</summary>
    protected abstract void OnMessage(in MessageView message, HeaderStatus headers);

    /// <summary>
    /// Bytes that are no message: <paramref name="channel"/> is set when their channel is known. The connection closes after this.
    /// </summary>
    protected abstract void OnMalformed(ulong? channel, int code, string problem);

    /// <summary>The message that is not whole yet has its answer already; false again with the next message.</summary>
    protected bool BegunIsRefused { get; set; }

    /// <summary>A stranger's message is not whole yet. The connection may close.</summary>
    protected virtual void OnBegun(in MessageLayout begun)
    {
    }

    /// <summary>
    /// A message that is too long, but its end is known. True when it was dealt with: the connection passes over it. Otherwise the bytes
    /// are malformed.
    /// </summary>
    protected virtual bool OnOverlong(in OverlongMessage message) => false;

    protected sealed override long OnReceived(in ReadOnlySequence<byte> buffer)
    {
        long taken = _skipBytes == 0 ? TakeMessages(in buffer) : 0;
        return _skipBytes == 0 ? taken : PassOver(in buffer, taken);
    }

    /// <summary>Passes over a message that is too long, as far as its bytes are here; then takes those behind it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private long PassOver(in ReadOnlySequence<byte> buffer, long taken)
    {
        while (_skipBytes > 0 && taken < buffer.Length && IsOpen)
        {
            long here = Math.Min(_skipBytes, buffer.Length - taken);
            _skipBytes -= here;
            taken += here;
            taken += _skipBytes == 0 && taken < buffer.Length ? TakeMessages(buffer.Slice(taken)) : 0;
        }

        return taken;
    }

    private long TakeMessages(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment)
        {
            return TakeAll(buffer.FirstSpan, in buffer, isAll: true, out _, out _);
        }

        long taken = 0;
        ReadOnlySequence<byte> rest = buffer;
        while (IsOpen && !rest.IsEmpty && _skipBytes == 0)
        {
            long count = TakeAll(rest.FirstSpan, in rest, rest.IsSingleSegment, out DecodeStatus status, out MessageLayout begun);
            if (status == DecodeStatus.NeedMore && IsOpen)
            {
                rest = rest.Slice(count);
                taken += count;
                count = TakeAcross(in rest, begun);
                if (count == 0)
                {
                    return taken;
                }
            }
            else if (count == 0)
            {
                return taken; // stopped: paused or closed
            }

            taken += count;
            rest = rest.Slice(count);
        }

        return taken;
    }

    /// <summary>Handles every whole message of a span; returns the number of their bytes.</summary>
    /// <param name="span">The bytes.</param>
    /// <param name="received">The received bytes, which begin with them.</param>
    /// <param name="isAll">No more bytes are here.</param>
    /// <param name="status">The status of the last message.</param>
    /// <param name="layout">The parts of the last message, as far as they are known.</param>
    private int TakeAll(
        ReadOnlySpan<byte> span, in ReadOnlySequence<byte> received, bool isAll, out DecodeStatus status, out MessageLayout layout)
    {
        int taken = 0;
        status = DecodeStatus.Ok;
        layout = default;
        while (taken < span.Length && IsOpen && !IsReadingPaused)
        {
            ReadOnlySpan<byte> rest = span[taken..];
            status = MessageDecoder.Decode(rest, Limits, out layout);
            if (status != DecodeStatus.Ok)
            {
                if (status != DecodeStatus.NeedMore)
                {
                    Refuse(status, in layout, OverlongMessage.Read(rest, Limits));
                }
                else if (isAll && IsOfStranger)
                {
                    OnBegun(in layout);
                }

                break;
            }

            int start = taken;
            taken += layout.TotalBytes;
            if (layout.TotalBytes < LongBytes)
            {
                Handle(new MessageView(in layout, rest));
            }
            else
            {
                HandleLong(in layout, in received, start);
            }
        }

        return taken;
    }

    /// <summary>
    /// The message at the start of <paramref name="rest"/> lies across blocks. Returns its size when it is whole, otherwise 0.
    /// </summary>
    /// <param name="rest">The bytes.</param>
    /// <param name="layout">The message's parts, as far as the first block tells.</param>
    private int TakeAcross(in ReadOnlySequence<byte> rest, MessageLayout layout)
    {
        if (rest.IsSingleSegment)
        {
            return 0;
        }

        DecodeStatus status = DecodeStatus.NeedMore;
        byte[] scratch = _scratch ??= new byte[ScratchBytes];
        if (layout.TotalBytes <= scratch.Length)
        {
            int joined = (int)Math.Min(rest.Length, scratch.Length);
            rest.Slice(0, joined).CopyTo(scratch);
            status = MessageDecoder.Decode(scratch.AsSpan(0, joined), Limits, out layout);
            if (status == DecodeStatus.Ok)
            {
                Handle(new MessageView(in layout, scratch));
                return layout.TotalBytes;
            }
        }

        if (status == DecodeStatus.NeedMore && layout.TotalBytes <= rest.Length && rest.Length > scratch.Length)
        {
            status = MessageDecoder.Decode(in rest, Limits, out layout);
            if (status == DecodeStatus.Ok)
            {
                Handle(new MessageView(in layout, in rest));
                return layout.TotalBytes;
            }
        }

        if (status != DecodeStatus.NeedMore)
        {
            Refuse(status, in layout, ReadOverlong(in rest));
        }
        else if (IsOfStranger)
        {
            OnBegun(in layout);
        }

        return 0;
    }

    /// <summary>A long message goes on with its blocks: a request that keeps it can keep those.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void HandleLong(in MessageLayout layout, in ReadOnlySequence<byte> received, int start) =>
        Handle(new MessageView(in layout, received.Slice(start, layout.TotalBytes)));

    private void Handle(in MessageView message)
    {
        ref readonly MessageLayout layout = ref message.Layout;
        BegunIsRefused = false;
        if (layout.SawBin)
        {
            PeerSpeaksBin = true;
        }

        // One byte is an empty array: most messages have no headers, and need no table.
        HeaderStatus status = HeaderStatus.Ok;
        if (layout.HeadersLength > 1)
        {
            _table ??= new HeaderTable();
            HeaderSet headers = Headers;
            headers.Clear();
            status = HeaderReader.Decode(message.Headers, _table, headers, Limits);
            if (status == HeaderStatus.Untrusted)
            {
                OnMalformed(layout.Channel, ErrorCodes.BadRequest, "a header index past the table: later headers cannot be trusted");
                FlushAndClose("untrusted header table");
                return;
            }
        }
        else
        {
            _headers?.Clear();
        }

        OnMessage(in message, status);
    }

    private OverlongMessage? ReadOverlong(in ReadOnlySequence<byte> start)
    {
        Span<byte> head = stackalloc byte[OverlongMessage.MaxHeadBytes];
        head = head[..(int)Math.Min(head.Length, start.Length)];
        start.Slice(0, head.Length).CopyTo(head);
        return OverlongMessage.Read(head, Limits);
    }

    /// <summary>Bytes that are no message. They end the connection, but for a message that is too long and can be passed over.</summary>
    private void Refuse(DecodeStatus status, in MessageLayout layout, OverlongMessage? overlong)
    {
        bool large = status == DecodeStatus.TooLarge;
        if (large && overlong is { } message && OnOverlong(in message))
        {
            _skipBytes = message.TotalBytes;
            return;
        }

        string problem = layout.Problem ?? (large ? "the message is larger than the limit" : "not a message");
        OnMalformed(layout.Channel == 0 ? null : layout.Channel, large ? ErrorCodes.TooLarge : ErrorCodes.BadRequest, problem);
        FlushAndClose(problem);
    }
}
