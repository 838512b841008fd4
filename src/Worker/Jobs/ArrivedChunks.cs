using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Worker;

/// <summary>The chunks of a request that have come, one after the other in a buffer, from which the handler takes them.</summary>
/// <param name="blocks">The slave's blocks, for long requests. Only the loop uses them.</param>
internal sealed class ArrivedChunks(BlockPool blocks)
{
    private const int LeastBufferBytes = 512;

    private readonly List<(int Offset, int Length)> _chunks = [];
    private byte[] _buffer = [];
    private byte[] _before = []; // the buffer before this one; the handler may hold its last chunk until it takes a chunk of this buffer
    private int _length;   // bytes of the buffer in use
    private int _first;    // index of the first waiting chunk
    private bool _wasRead; // the job's handler has taken a chunk
    private LentChunk _lent; // the only chunk so far, while it lies in the ring

    /// <summary>Bytes of the waiting chunks.</summary>
    public int WaitingBytes => _length - Start + _lent.Length;

    /// <summary>Start of the first waiting chunk.</summary>
    private int Start => _first < _chunks.Count ? _chunks[_first].Offset : _length;

    /// <summary>Takes a chunk that stays where it is until <see cref="Keep"/>; copies it when another one has come before.</summary>
    public void Lend(scoped in Payload data)
    {
        if (WaitingBytes == 0)
        {
            _lent = new LentChunk(data.Span);
        }
        else
        {
            Add(in data);
        }
    }

    /// <summary>Copies a chunk that lies in the ring, whose room is given back.</summary>
    public void Keep()
    {
        if (_lent.IsThere)
        {
            Add(new Payload(_lent.Take()));
        }
    }

    /// <summary>All waiting chunks, as one piece, where they lie.</summary>
    public ReadOnlySpan<byte> Borrow() => _lent.IsThere ? _lent.Take() : TakeAll().Span;

    public void Add(scoped in Payload data)
    {
        Keep();
        if (_buffer.Length - _length < data.Length)
        {
            MakeRoom(data.Length);
        }

        data.CopyTo(_buffer.AsSpan(_length));
        _chunks.Add((_length, data.Length));
        _length += data.Length;
    }

    /// <summary>The next chunk; its bytes are valid until the next call of this method or of <see cref="StartOver"/>.</summary>
    public bool TryTake(out ReadOnlyMemory<byte> chunk)
    {
        if (_first == _chunks.Count)
        {
            chunk = default;
            return false;
        }

        _wasRead = true;
        (int offset, int length) = _chunks[_first++];
        chunk = _buffer.AsMemory(offset, length);
        return true;
    }

    /// <summary>All waiting chunks, as one piece.</summary>
    public ReadOnlyMemory<byte> TakeAll()
    {
        Keep();
        int start = Start;
        _wasRead = true;
        _first = _chunks.Count;
        return _buffer.AsMemory(start, _length - start);
    }

    /// <summary>All chunks were taken, and the last one is no longer needed.</summary>
    public void StartOver()
    {
        _chunks.Clear();
        _first = _length = 0;
    }

    /// <summary>
    /// Prepares the buffer for the next job, when no code can have kept bytes of it. A larger buffer goes back to the slave's blocks, which
    /// are bounded.
    /// </summary>
    public void Reset()
    {
        StartOver();
        _wasRead = false;
        _buffer = Kept(_buffer);
        _before = Kept(_before);
    }

    /// <summary>The buffer, when it is small enough to stay with its channel.</summary>
    private byte[] Kept(byte[] buffer)
    {
        if (buffer.Length <= Limits.KeptBufferBytes)
        {
            return buffer;
        }

        blocks.Return(buffer);
        return [];
    }

    /// <summary>
    /// Moves the waiting chunks to another array, because the handler may still hold a chunk of this one. Taken chunks stay behind, so that
    /// a stream needs memory only for the waiting chunks, however long the stream is.
    /// </summary>
    private void MakeRoom(int more)
    {
        int start = Start, waiting = _length - start, needed = checked(waiting + more);
        int usual = waiting > _buffer.Length / 2 ? _buffer.Length * 2 : _buffer.Length;
        bool isRead = _first > 0; // the handler holds a chunk of this array, and the array before is free
        byte[] next = isRead && _before.Length >= Math.Max(needed, usual) ? _before
            : blocks.Rent(Math.Max(Math.Max(usual, LeastBufferBytes), needed));
        _buffer.AsSpan(start, waiting).CopyTo(next);
        _before = isRead ? _buffer : []; // a request without any read chunk needs no second array
        if (!_wasRead && _buffer.Length > 0)
        {
            blocks.Return(_buffer); // no code has seen any of it
        }

        _buffer = next;
        _chunks.RemoveRange(0, _first);
        for (int i = 0; i < _chunks.Count; i++)
        {
            _chunks[i] = (_chunks[i].Offset - start, _chunks[i].Length);
        }

        _first = 0;
        _length = waiting;
    }
}
