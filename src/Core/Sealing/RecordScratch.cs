using System.Buffers;
using System.Numerics;

namespace Cocaine.Fast.Core.Sealing;

/// <summary>
/// Memory of a thread for one record at a time, in each direction. Bytes stay good until the next record of the direction.
/// </summary>
internal sealed class RecordScratch
{
    /// <summary>Up to here the memory is kept; the memory of a longer record goes back to the pool with the next record.</summary>
    private const int KeptBytes = 1 << 20;

    [ThreadStatic]
    private static RecordScratch? _in, _out;

    private byte[] _bytes = new byte[4096];

    /// <summary>For records that come.</summary>
    public static RecordScratch In => _in ??= new RecordScratch();

    /// <summary>For records that leave.</summary>
    public static RecordScratch Out => _out ??= new RecordScratch();

    /// <summary>So many bytes, with any content.</summary>
    public Span<byte> Take(int length)
    {
        if (length > _bytes.Length || (_bytes.Length > KeptBytes && length <= KeptBytes))
        {
            byte[] old = _bytes;
            _bytes = [];
            if (old.Length > KeptBytes)
            {
                ArrayPool<byte>.Shared.Return(old, clearArray: true); // plain text of a request
            }

            _bytes = length > KeptBytes ? ArrayPool<byte>.Shared.Rent(length)
                : new byte[Math.Min(KeptBytes, (int)BitOperations.RoundUpToPowerOf2((uint)length))];
        }

        return _bytes.AsSpan(0, length);
    }
}
