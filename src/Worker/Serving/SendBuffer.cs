using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker.Serving;

/// <summary>Messages for a socket, in one block of memory; sent messages make room for more.</summary>
internal sealed class SendBuffer : MessageSink
{
    private const int FirstBytes = 4096;

    private byte[] _block = new byte[FirstBytes];
    private int _start;     // first byte that was not sent
    private int _end;

    public override int MaxContiguousBytes => int.MaxValue;

    /// <summary>The bytes that were not sent.</summary>
    public ReadOnlySpan<byte> Unsent => _block.AsSpan(_start, _end - _start);

    public override Span<byte> BeginMessage(int maxBytes)
    {
        if (_block.Length - _end < maxBytes)
        {
            MakeRoom(maxBytes);
        }

        return _block.AsSpan(_end);
    }

    public override void EndMessage(int sizeBytes) => _end += sizeBytes;

    public override void WriteLong(scoped ReadOnlySpan<byte> prefix, scoped in Payload payload, scoped ReadOnlySpan<byte> suffix)
    {
        Span<byte> span = BeginMessage(checked(prefix.Length + payload.Length + suffix.Length));
        prefix.CopyTo(span);
        payload.CopyTo(span[prefix.Length..]);
        suffix.CopyTo(span[(prefix.Length + payload.Length)..]);
        EndMessage(prefix.Length + payload.Length + suffix.Length);
    }

    /// <summary>The first bytes were sent. A block above <see cref="Limits.KeptBytes"/> is given up once all were.</summary>
    public void OnSent(int bytes)
    {
        _start += bytes;
        if (_start == _end)
        {
            _start = _end = 0;
            _block = _block.Length > Limits.KeptBytes ? new byte[FirstBytes] : _block;
        }
    }

    private void MakeRoom(int more)
    {
        int waiting = _end - _start;
        int needed = checked(waiting + more);
        byte[] next = needed <= _block.Length / 2 ? _block : new byte[SizeFor(needed)];
        _block.AsSpan(_start, waiting).CopyTo(next);
        _block = next;
        _start = 0;
        _end = waiting;
    }

    /// <summary>
    /// The size of the next block, at least twice that of the last one. Sizes are powers of two, as the largest kept one is: a block that
    /// grew to a few bytes more would be given up with each burst and grow anew.
    /// </summary>
    private int SizeFor(int needed) =>
        (int)Math.Min(Math.Max(System.Numerics.BitOperations.RoundUpToPowerOf2((uint)needed), _block.Length * 2L), Array.MaxLength);
}
