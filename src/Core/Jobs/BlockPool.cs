using System.Numerics;

namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Byte blocks in powers of two for one loop's jobs. ArrayPool.Shared keeps too few of a size for hundreds of jobs in flight, so it would
/// allocate on the request path.
/// </summary>
internal sealed class BlockPool
{
    /// <summary>Smallest block: most requests fit, and a thousand jobs in flight cost 256 KiB.</summary>
    public const int MinBlockBytes = 256;

    /// <summary>Kept free at most: what a burst of large requests leaves behind is given back to the runtime beyond this.</summary>
    private const long MaxFreeBytes = 32 << 20;

    private readonly Stack<byte[]>?[] _free = new Stack<byte[]>?[32];
    private long _freeBytes;

    public byte[] Rent(int minBytes)
    {
        int size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(minBytes, MinBlockBytes));
        Stack<byte[]>? blocks = _free[BitOperations.Log2((uint)size)];
        if (blocks is null || !blocks.TryPop(out byte[]? block))
        {
            return GC.AllocateUninitializedArray<byte>(size);
        }

        _freeBytes -= size;
        return block;
    }

    public void Return(byte[] block)
    {
        if (_freeBytes + block.Length > MaxFreeBytes)
        {
            return;
        }

        _freeBytes += block.Length;
        (_free[BitOperations.Log2((uint)block.Length)] ??= new Stack<byte[]>()).Push(block);
    }
}
