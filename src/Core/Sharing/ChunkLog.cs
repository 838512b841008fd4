using System.Buffers.Binary;
using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Core.Sharing;

/// <summary>
/// Chunks one after the other, each with its length of 4 bytes before it. The memory belongs to no loop, so that the log can go from loop
/// to loop.
/// </summary>
internal sealed class ChunkLog
{
    private const int PrefixBytes = 4;

    /// <summary>The most memory that an empty log keeps: most requests and answers fit.</summary>
    private const int MostKeptBytes = 64 << 10;

    private byte[] _bytes = [];

    public int SizeBytes { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, SizeBytes);

    public void Add(in Payload chunk)
    {
        int needed = checked(SizeBytes + PrefixBytes + chunk.Length);
        if (needed > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(needed, 2 * _bytes.Length));
        }

        BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(SizeBytes), chunk.Length);
        chunk.CopyTo(_bytes.AsSpan(SizeBytes + PrefixBytes));
        SizeBytes = needed;
    }

    public void Clear()
    {
        SizeBytes = 0;
        if (_bytes.Length > MostKeptBytes)
        {
            _bytes = [];
        }
    }

    /// <summary>Takes the first chunk off.</summary>
    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> chunks)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(chunks);
        ReadOnlySpan<byte> first = chunks.Slice(PrefixBytes, length);
        chunks = chunks[(PrefixBytes + length)..];
        return first;
    }
}
