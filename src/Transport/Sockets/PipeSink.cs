using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>Sends long payloads from where they lie.</summary>
internal interface ILongSender
{
    /// <summary>The payload lies in lent memory, and the socket may have room: the payload can stay there, as one of the parts.</summary>
    bool TryBorrow([NotNullWhen(true)] out BorrowedParts? parts, scoped ReadOnlySpan<byte> payload);

    /// <summary>The least payload that goes at once.</summary>
    int LeastAtOnceBytes { get; }

    /// <summary>
    /// Sends the written bytes and a message behind them, as much as the socket takes now. Returns the bytes of the message that are sent:
    /// the caller writes the others.
    /// </summary>
    long TrySendNow(scoped ReadOnlySpan<byte> prefix, scoped ReadOnlySpan<byte> payload, scoped ReadOnlySpan<byte> suffix);

    /// <summary>The unsent bytes are dropped.</summary>
    void ForgetBorrowed();
}

/// <summary>
/// Writes messages into a socket's output pipe. The sink takes a pipe from the loop's pool with the first message, and gives it back when
/// everything was sent. A long payload in lent memory stays there until the loan ends; a very long one elsewhere goes to the socket at
/// once. The pipe gets what the socket has no room for.
/// </summary>
/// <param name="buffers">The loop's pool.</param>
/// <param name="sender">Sends long payloads from where they lie; null where everything goes through the pipe.</param>
internal sealed class PipeSink(BufferPool buffers, ILongSender? sender = null) : MessageSink
{
    /// <summary>The least payload that is borrowed: a shorter one is copied in less time than it takes to walk over the parts.</summary>
    private const int LeastBorrowedBytes = 4 << 10;

    private PipeWriter? _writer;

    /// <summary>The pipe, while there is something to send.</summary>
    public Pipe? Pipe { get; private set; }

    /// <summary>Bytes written and not yet sent.</summary>
    public long PendingBytes { get; private set; }

    /// <summary>Bytes sent since the start.</summary>
    public long SentBytes { get; private set; }

    public override int MaxContiguousBytes => BufferPool.BlockSizeBytes;

    public override Span<byte> BeginMessage(int maxBytes)
    {
        _writer ??= Open();
        return _writer.GetSpan(maxBytes);
    }

    public override void EndMessage(int sizeBytes)
    {
        _writer!.Advance(sizeBytes);
        PendingBytes += sizeBytes;
    }

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        if (payload.IsContiguous)
        {
            if (payload.Length >= LeastBorrowedBytes && sender is not null && sender.TryBorrow(out BorrowedParts? parts, payload.Span))
            {
                WriteParts(prefix);
                parts.Add(PendingBytes - parts.Bytes, payload.Span);
                PendingBytes += payload.Length;
                WriteParts(suffix);
                return;
            }

            long sent = sender is null || payload.Length < sender.LeastAtOnceBytes ? 0 : sender.TrySendNow(prefix, payload.Span, suffix);
            WriteParts(RestOf(prefix, ref sent));
            WriteParts(RestOf(payload.Span, ref sent));
            WriteParts(RestOf(suffix, ref sent));
            return;
        }

        WriteParts(prefix);
        foreach (ReadOnlyMemory<byte> part in payload.Sequence)
        {
            WriteParts(part.Span);
        }

        WriteParts(suffix);
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Write(scoped ReadOnlySpan<byte> bytes) => WriteParts(bytes);

    /// <summary>
    /// The bytes in the pipe; its reader must advance afterwards. Completes inline: the pipe has no thresholds and its schedulers are
    /// inline. Valid while bytes are pending.
    /// </summary>
    public ReadOnlySequence<byte> Written()
    {
        ValueTask<FlushResult> flushed = _writer!.FlushAsync();
        Debug.Assert(flushed.IsCompleted);
        flushed.GetAwaiter().GetResult();
        Pipe!.Reader.TryRead(out ReadResult result);
        return result.Buffer;
    }

    /// <summary>Bytes went to the socket without being in the pipe.</summary>
    public void CountSent(long bytes) => SentBytes += bytes;

    /// <summary>
    /// Some of the written bytes were sent, and others lie in lent memory: from here on the pipe is another one with all that is left.
    /// </summary>
    public void Replace(BorrowedParts parts, in ReadOnlySequence<byte> written, long sent)
    {
        Pipe before = Pipe!;
        long all = PendingBytes;
        Pipe = null;
        _writer = null;
        PendingBytes = 0;
        SentBytes += sent;
        if (sent < all)
        {
            for (BorrowedParts.Walk walk = parts.All(in written); walk.MoveNext();)
            {
                WriteParts(RestOf(walk.Current, ref sent));
            }
        }

        parts.Clear();
        before.Reader.AdvanceTo(written.End);
        buffers.ReturnPipe(before);
    }

    /// <summary>Takes sent bytes off; gives the pipe back when it is empty.</summary>
    public void Sent(long bytes)
    {
        PendingBytes -= bytes;
        SentBytes += bytes;
        if (PendingBytes == 0)
        {
            Release();
        }
    }

    /// <summary>Drops all unsent bytes.</summary>
    public void Clear()
    {
        if (Pipe is null)
        {
            return;
        }

        PendingBytes = 0;
        sender?.ForgetBorrowed();
        Pipe.Writer.Complete();
        Pipe.Reader.Complete();
        Pipe.Reset();
        Release();
    }

    /// <summary>The part of the bytes that was not sent.</summary>
    private static ReadOnlySpan<byte> RestOf(ReadOnlySpan<byte> bytes, ref long sent)
    {
        int gone = (int)Math.Min(sent, bytes.Length);
        sent -= gone;
        return bytes[gone..];
    }

    private void WriteParts(scoped ReadOnlySpan<byte> bytes)
    {
        _writer ??= Open();
        while (bytes.Length > 0)
        {
            // One byte means the rest of the present block; a long rest asks for a block of its own.
            Span<byte> span = _writer.GetSpan(bytes.Length > BufferPool.BlockSizeBytes ? BufferPool.LargeBlockSizeBytes : 1);
            int count = Math.Min(span.Length, bytes.Length);
            bytes[..count].CopyTo(span);
            _writer.Advance(count);
            PendingBytes += count;
            bytes = bytes[count..];
        }
    }

    private PipeWriter Open()
    {
        Pipe = buffers.RentPipe();
        return Pipe.Writer;
    }

    private void Release()
    {
        if (Pipe is not null)
        {
            buffers.ReturnPipe(Pipe);
            Pipe = null;
            _writer = null;
        }
    }
}
