using System.Buffers;
using System.Buffers.Binary;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The request as far as it has come. The log is kept while the job waits and until its answer has begun, so that the job can run again on
/// another slave. Short chunks are copied; of long ones, the log keeps the memory in which they were received.
/// </summary>
/// <remarks>Format: chunks one after the other, each a 4-byte length and its bytes, or, for a long one, the complement of its place among
/// the kept sequences. The invoke's headers come first, when there are any.</remarks>
internal sealed class RequestLog(BlockPool blocks)
{
    /// <summary>Below it a copy costs as little as a reference, and leaves the received memory to others.</summary>
    private const int LeastKeptBytes = 4 << 10;

    /// <summary>The most places for kept sequences that stay for the next job: those of the longest request that can run again.</summary>
    private const int MostPlaces = 64;

    private const int PrefixBytes = 4;
    private byte[]? _block;
    private int _length;
    private int _headersLength;
    private int _taken;        // bytes of the block before the first chunk that is left; without headers only
    private ReadOnlySequence<byte>[] _kept = []; // received memory that belongs to the log too
    private int _keptCount;
    private int _keptTaken;    // places before the first one that is left
    private int _keptGone;     // places that were given up, for numbers in the block
    private int _keptBytes;

    /// <summary>Bytes in the log, including framing.</summary>
    public int SizeBytes => _length - _taken + _keptBytes;

    /// <summary>False when part of the request was not kept, so the job cannot be run again.</summary>
    public bool IsWhole { get; private set; } = true;

    /// <summary>The headers of the invoke, encoded; empty for none.</summary>
    public ReadOnlySpan<byte> Headers => _block.AsSpan(0, _headersLength);

    public void SetHeaders(ReadOnlySpan<byte> headers)
    {
        Reserve(headers.Length);
        headers.CopyTo(_block);
        _headersLength = _length = headers.Length;
    }

    public void Add(in Payload chunk)
    {
        if (chunk.Length >= LeastKeptBytes && SharedSegment.TryKeep(chunk.Sequence))
        {
            AddKept(chunk.Sequence);
            return;
        }

        Reserve(PrefixBytes + chunk.Length);
        BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(_length), chunk.Length);
        chunk.CopyTo(_block.AsSpan(_length + PrefixBytes));
        _length += PrefixBytes + chunk.Length;
    }

    /// <summary>The first chunk; valid until the log is changed. False when there is none.</summary>
    public bool TryPeek(out Payload chunk)
    {
        Enumerator first = GetEnumerator();
        bool any = first.MoveNext();
        chunk = first.Current;
        return any;
    }

    /// <summary>Drops the first chunk; there is one. Only for a log without headers.</summary>
    public void DropFirst()
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(_block.AsSpan(_taken));
        _taken += PrefixBytes + Math.Max(length, 0);
        if (length < 0)
        {
            ref ReadOnlySequence<byte> sequence = ref _kept[~length - _keptGone];
            _keptTaken++;
            _keptBytes -= (int)sequence.Length;
            SharedSegment.Drop(in sequence);
            sequence = default;
        }

        if (_taken == _length)
        {
            Clear();
        }
    }

    /// <summary>Stops keeping the request: it grew past its bound, or will not be needed again.</summary>
    public void Forget()
    {
        Clear();
        IsWhole = false;
    }

    /// <summary>Empties the log for another job.</summary>
    public void Clear()
    {
        if (_block is not null)
        {
            blocks.Return(_block);
            _block = null;
        }

        if (_keptCount > 0)
        {
            DropKept();
        }

        _length = _headersLength = _taken = 0;
        IsWhole = true;
    }

    public Enumerator GetEnumerator()
    {
        int start = Math.Max(_headersLength, _taken);
        return new Enumerator(_block.AsSpan(start, _length - start), _kept, _keptGone);
    }

    private void AddKept(in ReadOnlySequence<byte> sequence)
    {
        Reserve(PrefixBytes);
        if (_keptCount == _kept.Length)
        {
            ReservePlace();
        }

        BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(_length), ~(_keptCount + _keptGone));
        _length += PrefixBytes;

        _kept[_keptCount++] = sequence;
        _keptBytes += (int)sequence.Length;
    }

    /// <summary>Makes room for one more sequence, in the places of those that were taken or in a larger array.</summary>
    private void ReservePlace()
    {
        if (_keptTaken == 0 || _keptTaken < _keptCount / 2)
        {
            Array.Resize(ref _kept, Math.Max(1, _kept.Length * 2));
            return;
        }

        _kept.AsSpan(_keptTaken, _keptCount - _keptTaken).CopyTo(_kept);
        _kept.AsSpan(_keptCount - _keptTaken, _keptTaken).Clear();
        _keptCount -= _keptTaken;
        _keptGone += _keptTaken;
        _keptTaken = 0;
    }

    private void DropKept()
    {
        foreach (ref ReadOnlySequence<byte> sequence in _kept.AsSpan(_keptTaken, _keptCount - _keptTaken))
        {
            SharedSegment.Drop(in sequence);
            sequence = default;
        }

        _keptCount = _keptBytes = _keptTaken = _keptGone = 0;
        if (_kept.Length > MostPlaces)
        {
            _kept = [];
        }
    }

    private void Reserve(int bytes)
    {
        int needed = checked(_length + bytes);
        if (_block is not null && needed <= _block.Length)
        {
            return;
        }

        if (_taken > _length / 2)
        {
            _block.AsSpan(_taken, _length - _taken).CopyTo(_block); // each byte is moved at most once for each that was taken
            _length -= _taken;
            _taken = 0;
            Reserve(bytes);
            return;
        }

        byte[] larger = blocks.Rent(needed);
        _block.AsSpan(0, _length).CopyTo(larger);
        if (_block is not null)
        {
            blocks.Return(_block);
        }

        _block = larger;
    }

    /// <summary>Walks the chunks.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> rest, ReadOnlySequence<byte>[] kept, int gone)
    {
        private readonly ReadOnlySequence<byte>[] _kept = kept;
        private ReadOnlySpan<byte> _rest = rest;

        /// <summary>The chunk; valid while the log is not changed.</summary>
        public Payload Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            int length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
            _rest = _rest[PrefixBytes..];
            if (length < 0)
            {
                Current = new Payload(in _kept[~length - gone]);
                return true;
            }

            Current = new Payload(_rest[..length]);
            _rest = _rest[length..];
            return true;
        }
    }
}
