using System.Buffers.Binary;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The request as far as it has come. The log is kept while the job waits and until its answer has begun, so that the job can run again on
/// another slave.
/// </summary>
/// <remarks>Format: chunks one after the other, each a 4-byte length and its bytes. The invoke's headers come first, when there are
/// any.</remarks>
internal sealed class RequestLog(BlockPool blocks)
{
    private const int PrefixBytes = 4;
    private byte[]? _block;
    private int _length;
    private int _headersLength;

    /// <summary>Bytes in the log, including framing.</summary>
    public int SizeBytes => _length;

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

        _length = _headersLength = 0;
        IsWhole = true;
    }

    public Enumerator GetEnumerator() => new(_block.AsSpan(_headersLength, _length - _headersLength));

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
    public ref struct Enumerator(ReadOnlySpan<byte> rest)
    {
        private ReadOnlySpan<byte> _rest = rest;

        public ReadOnlySpan<byte> Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty)
            {
                return false;
            }

            int length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
            Current = _rest.Slice(PrefixBytes, length);
            _rest = _rest[(PrefixBytes + length)..];
            return true;
        }
    }
}
