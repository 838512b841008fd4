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
    private ReadOnlySequence<byte>[] _kept = []; // received memory that belongs to the log too
    private int _keptCount;
    private int _keptBytes;

    /// <summary>Bytes in the log, including framing.</summary>
    public int SizeBytes => _length + _keptBytes;

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

        _length = _headersLength = 0;
        IsWhole = true;
    }

    public Enumerator GetEnumerator() => new(_block.AsSpan(_headersLength, _length - _headersLength), _kept);

    private void AddKept(in ReadOnlySequence<byte> sequence)
    {
        Reserve(PrefixBytes);
        BinaryPrimitives.WriteInt32LittleEndian(_block.AsSpan(_length), ~_keptCount);
        _length += PrefixBytes;
        if (_keptCount == _kept.Length)
        {
            Array.Resize(ref _kept, Math.Max(1, _kept.Length * 2));
        }

        _kept[_keptCount++] = sequence;
        _keptBytes += (int)sequence.Length;
    }

    private void DropKept()
    {
        foreach (ref ReadOnlySequence<byte> sequence in _kept.AsSpan(0, _keptCount))
        {
            SharedSegment.Drop(in sequence);
            sequence = default;
        }

        _keptCount = _keptBytes = 0;
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

        byte[] larger = blocks.Rent(needed);
        _block.AsSpan(0, _length).CopyTo(larger);
        if (_block is not null)
        {
            blocks.Return(_block);
        }

        _block = larger;
    }

    /// <summary>Walks the chunks.</summary>
    public ref struct Enumerator(ReadOnlySpan<byte> rest, ReadOnlySequence<byte>[] kept)
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
                Current = new Payload(in _kept[~length]);
                return true;
            }

            Current = new Payload(_rest[..length]);
            _rest = _rest[length..];
            return true;
        }
    }
}
