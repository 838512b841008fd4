using System.Buffers;
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

    protected sealed override long OnReceived(in ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment)
        {
            return TakeAll(buffer.FirstSpan, isAll: true, out _);
        }

        long taken = 0;
        ReadOnlySequence<byte> rest = buffer;
        while (IsOpen && !rest.IsEmpty)
        {
            long count = TakeAll(rest.FirstSpan, rest.IsSingleSegment, out DecodeStatus status);
            if (status == DecodeStatus.NeedMore && IsOpen)
            {
                rest = rest.Slice(count);
                taken += count;
                count = TakeAcross(in rest);
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
    /// <param name="isAll">No more bytes are here.</param>
    /// <param name="status">The status of the last message.</param>
    private int TakeAll(ReadOnlySpan<byte> span, bool isAll, out DecodeStatus status)
    {
        int taken = 0;
        status = DecodeStatus.Ok;
        while (taken < span.Length && IsOpen && !IsReadingPaused)
        {
            ReadOnlySpan<byte> rest = span[taken..];
            status = MessageDecoder.Decode(rest, Limits, out MessageLayout layout);
            if (status != DecodeStatus.Ok)
            {
                if (status != DecodeStatus.NeedMore)
                {
                    Refuse(status, in layout);
                }
                else if (isAll && IsOfStranger)
                {
                    OnBegun(in layout);
                }

                break;
            }

            taken += layout.TotalBytes;
            Handle(new MessageView(in layout, rest));
        }

        return taken;
    }

    /// <summary>
    /// The message at the start of <paramref name="rest"/> lies across blocks. Returns its size when it is whole, otherwise 0.
    /// </summary>
    private int TakeAcross(in ReadOnlySequence<byte> rest)
    {
        if (rest.IsSingleSegment)
        {
            return 0;
        }

        byte[] scratch = _scratch ??= new byte[ScratchBytes];
        int joined = (int)Math.Min(rest.Length, scratch.Length);
        rest.Slice(0, joined).CopyTo(scratch);
        DecodeStatus status = MessageDecoder.Decode(scratch.AsSpan(0, joined), Limits, out MessageLayout layout);
        if (status == DecodeStatus.Ok)
        {
            Handle(new MessageView(in layout, scratch));
            return layout.TotalBytes;
        }

        if (status == DecodeStatus.NeedMore && rest.Length > joined)
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
            Refuse(status, in layout);
        }
        else if (IsOfStranger)
        {
            OnBegun(in layout);
        }

        return 0;
    }

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

    private void Refuse(DecodeStatus status, in MessageLayout layout)
    {
        bool large = status == DecodeStatus.TooLarge;
        string problem = layout.Problem ?? (large ? "the message is larger than the limit" : "not a message");
        OnMalformed(layout.Channel == 0 ? null : layout.Channel, large ? ErrorCodes.TooLarge : ErrorCodes.BadRequest, problem);
        FlushAndClose(problem);
    }
}
