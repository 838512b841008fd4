using System.Buffers;
using System.Buffers.Binary;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// Messages that wait for room, in order, in one growing block that goes back to the pool when it is empty. The user of a ring's writer
/// keeps the queue bounded: see <see cref="ByteRingWriter.OverflowBytes"/>.
/// </summary>
internal sealed class OverflowQueue
{
    private const int LengthPrefixBytes = 4;

    /// <summary>A block of up to the usual ring's size stays for the next burst; a larger one is given back.</summary>
    private const int MaxKeptBytes = 1 << 20;

    private byte[]? _block;
    private int _head;      // start of the first message's length
    private int _tail;
    private int _consumed;  // consumed bytes of the first message

    /// <summary>Bytes in the queue, including framing.</summary>
    public int SizeBytes => _tail - _head;

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

    /// <summary>The part of the first message that was not consumed yet.</summary>
    public bool TryPeek(out ReadOnlySpan<byte> rest, out bool begun)
    {
        begun = _consumed > 0;
        if (_tail == _head)
        {
            rest = default;
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(_block.AsSpan(_head));
        rest = _block.AsSpan(_head + LengthPrefixBytes + _consumed, length - _consumed);
        return true;
    }

    public void Consume(int bytes)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(_block.AsSpan(_head));
        _consumed += bytes;
        if (_consumed < length)
        {
            return;
        }

        _consumed = 0;
        _head += LengthPrefixBytes + length;
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

        _block = null;
        _head = _tail = _consumed = 0;
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
