using System.IO.Pipelines;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// Writes messages into a socket's output pipe. The sink takes a pipe from the loop's pool with the first message, and gives it back when
/// everything was sent.
/// </summary>
internal sealed class PipeSink(BufferPool buffers) : MessageSink
{
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
        WriteParts(prefix);
        if (payload.IsContiguous)
        {
            WriteParts(payload.Span);
        }
        else
        {
            foreach (ReadOnlyMemory<byte> part in payload.Sequence)
            {
                WriteParts(part.Span);
            }
        }

        WriteParts(suffix);
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
        Pipe.Writer.Complete();
        Pipe.Reader.Complete();
        Pipe.Reset();
        Release();
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
