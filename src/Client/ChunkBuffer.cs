using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Client;

/// <summary>
/// Chunks on their way from the loop to one reader. The loop fills one block while the reader takes chunks from the other, and the blocks
/// are exchanged when the reader has taken all. Both blocks are kept for the next call, so that a stream allocates nothing.
/// </summary>
/// <remarks>Format: chunks one after the other, each a 4-byte length and its bytes.</remarks>
internal sealed class ChunkBuffer
{
    /// <summary>A larger block is given back to the runtime at the call's end: a pool of calls must not keep a burst's memory.</summary>
    private const int MaxKeptBytes = 64 << 10;

    private const int PrefixBytes = 4;

    private byte[] _filling = [];
    private byte[] _taking = [];
    private int _filled;     // under the call's lock
    private int _takeable;   // written under the call's lock
    private int _taken;      // written by the reader

    /// <summary>
    /// Bytes that the reader has not taken, under the call's lock. The reader may take more meanwhile: only the reader itself knows the
    /// exact number.
    /// </summary>
    public int UnreadBytes => _filled + LeftToTake;

    /// <summary>Chunks have come that the reader has not begun to take. Under the call's lock.</summary>
    public bool HasWaiting => _filled > 0;

    /// <summary>Bytes that the reader may take without a lock.</summary>
    public int LeftToTake => _takeable - Volatile.Read(ref _taken); // the loop reads an old value at worst, and asks to hold too early

    /// <summary>Filler: adds a chunk. Under the call's lock.</summary>
    public void Add(in Payload chunk)
    {
        int needed = checked(_filled + PrefixBytes + chunk.Length);
        if (needed > _filling.Length)
        {
            Array.Resize(ref _filling, Math.Max(needed, Math.Max(1024, _filling.Length * 2)));
        }

        BinaryPrimitives.WriteInt32LittleEndian(_filling.AsSpan(_filled), chunk.Length);
        chunk.CopyTo(_filling.AsSpan(_filled + PrefixBytes));
        _filled = needed;
    }

    /// <summary>Reader: the next chunk, valid until the next call of this method. Needs no lock.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> chunk)
    {
        if (_taken == _takeable)
        {
            chunk = default;
            return false;
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(_taking.AsSpan(_taken));
        chunk = _taking.AsMemory(_taken + PrefixBytes, length);
        _taken += PrefixBytes + length;
        return true;
    }

    /// <summary>Reader: continues with the chunks that have come. Under the call's lock.</summary>
    public void Exchange()
    {
        (_filling, _taking) = (_taking, _filling);
        (_takeable, _taken, _filled) = (_filled, 0, 0);
    }

    /// <summary>Empties the buffer for another call.</summary>
    public void Clear()
    {
        _filled = _takeable = _taken = 0;
        _filling = _filling.Length > MaxKeptBytes ? [] : _filling;
        _taking = _taking.Length > MaxKeptBytes ? [] : _taking;
    }
}
