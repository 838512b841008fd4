namespace Cocaine.Fast.Cluster.Code;

/// <summary>A stream that refuses to give more bytes than expected: a small archive can hold bytes without end.</summary>
/// <param name="inner">The stream; not disposed here.</param>
/// <param name="mostBytes">The most bytes.</param>
internal sealed class CountedStream(Stream inner, long mostBytes) : Stream
{
    private long _bytes;

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => _bytes;
        set => throw new NotSupportedException();
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Counted(inner.Read(buffer, offset, count));

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer) => Counted(inner.Read(buffer));

    /// <inheritdoc/>
    public override void Flush()
    {
        // nothing is written
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    private int Counted(int bytes)
    {
        _bytes += bytes;
        return _bytes <= mostBytes ? bytes
            : throw new CodeException($"the archive has more than {mostBytes >> 20} MiB when it is unpacked");
    }
}
