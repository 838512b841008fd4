using System.Buffers;
using System.Buffers.Binary;
using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// Messages that wait for room, in order, in one growing block that goes back to the pool when it is empty. Of a long message that was
/// received, the queue keeps the received memory instead of a copy. The user of a ring's writer keeps the queue bounded: see
/// <see cref="ByteRingWriter.OverflowBytes"/>.
/// </summary>
/// <remarks>Format: each message is a 4-byte length and its bytes; of a kept one, the complement of the length of its front, and the front.
/// The sequences behind the fronts are apart, in the same order.</remarks>
internal sealed class OverflowQueue
{
    private const int LengthPrefixBytes = 4;

    /// <summary>A block of up to the usual ring's size stays for the next burst; a larger one is given back.</summary>
    private const int MaxKeptBytes = 1 << 20;

    private readonly Queue<ReadOnlySequence<byte>> _kept = new(); // the queue is one of their users
    private byte[]? _block;
    private int _head;      // start of the first message's length
    private int _tail;
    private int _consumed;  // consumed bytes of the first message
    private int _keptBytes; // bytes of the kept sequences

    /// <summary>Bytes in the queue, including framing.</summary>
    public int SizeBytes => _tail - _head + _keptBytes;

    public Span<byte> Begin(int maxBytes)
    {
        Reserve(checked(maxBytes + LengthPrefixBytes));
        return _block.AsSpan(_tail + LengthPrefixBytes, maxBytes);
    }

    public void End(int sizeBytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(_tail), sizeBytes);
        _tail += LengthPrefixBytes + sizeBytes;
    }

    /// <summary>Adds a message of a front and received memory, which the caller has kept for the queue.</summary>
    public void AddKept(ReadOnlySpan<byte> front, in ReadOnlySequence<byte> kept)
    {
        Reserve(front.Length + LengthPrefixBytes);
        BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(_tail), ~front.Length);
        front.CopyTo(_block.AsSpan(_tail + LengthPrefixBytes));
        _tail += LengthPrefixBytes + front.Length;
        _kept.Enqueue(kept);
        _keptBytes = checked(_keptBytes + (int)kept.Length);
    }

    /// <summary>The first message as one piece; for a user that keeps no received memory here.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> message)
    {
        message = default;
        if (!TryPeek(out int bytes))
        {
            return false;
        }

        message = _block.AsSpan(_head + LengthPrefixBytes + _consumed, bytes);
        return true;
    }

    /// <summary>The number of bytes of the first message that were not consumed yet.</summary>
    public bool TryPeek(out int bytes)
    {
        bytes = 0;
        if (_tail == _head)
        {
            return false;
        }

        bytes = FrontBytes(out bool isKept) - _consumed + (isKept ? (int)_kept.Peek().Length : 0);
        return true;
    }

    /// <summary>Copies the next bytes of the first message, and consumes them.</summary>
    public void Take(Span<byte> to)
    {
        int taken = to.Length;
        int front = FrontBytes(out bool isKept);
        int inFront = Math.Clamp(front - _consumed, 0, to.Length);
        _block.AsSpan(_head + LengthPrefixBytes + Math.Min(_consumed, front), inFront).CopyTo(to);
        to = to[inFront..];
        if (isKept)
        {
            _kept.Peek().Slice(Math.Max(_consumed - front, 0), to.Length).CopyTo(to);
        }

        Consume(taken);
    }

    public void Consume(int bytes)
    {
        int front = FrontBytes(out bool isKept);
        _consumed += bytes;
        if (_consumed < front + (isKept ? _kept.Peek().Length : 0))
        {
            return;
        }

        if (isKept)
        {
            DropKept();
        }

        _consumed = 0;
        _head += LengthPrefixBytes + front;
        if (_head == _tail)
        {
            _head = _tail = 0;
            if (_block!.Length > MaxKeptBytes)
            {
                Clear();
            }
        }
    }

    public void Clear()
    {
        if (_block is not null)
        {
            ArrayPool<byte>.Shared.Return(_block);
        }

        while (_kept.Count > 0)
        {
            DropKept();
        }

        _block = null;
        _head = _tail = _consumed = 0;
    }

    /// <summary>The bytes of the first message that are in the block.</summary>
    private int FrontBytes(out bool isKept)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(_block.AsSpan(_head));
        isKept = length < 0;
        return isKept ? ~length : length;
    }

    private void DropKept()
    {
        ReadOnlySequence<byte> kept = _kept.Dequeue();
        _keptBytes -= (int)kept.Length;
        SharedSegment.Drop(in kept);
    }

    private void Reserve(int bytes)
    {
        if (_block is null)
        {
            _block = ArrayPool<byte>.Shared.Rent(Math.Max(bytes, 4096));
            return;
        }

        if (_block.Length - _tail >= bytes)
        {
            return;
        }

        int used = _tail - _head;
        if (_block.Length >= checked(used + bytes) && _head >= used)
        {
            _block.AsSpan(_head, used).CopyTo(_block);
        }
        else
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(checked(Math.Max(used + bytes, used * 2)));
            _block.AsSpan(_head, used).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_block);
            _block = larger;
        }

        _head = 0;
        _tail = used;
    }
}
