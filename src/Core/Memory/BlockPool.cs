using System.Numerics;

namespace Cocaine.Fast.Core.Memory;

/// <summary>
/// Byte blocks for one loop's jobs, in four sizes within each power of two. ArrayPool.Shared keeps too few blocks of a size for hundreds of
/// jobs in flight, so it would allocate on the request path.
/// </summary>
internal sealed class BlockPool
{
    /// <summary>Smallest block: most requests fit, and a thousand jobs in flight cost 256 KiB.</summary>
    public const int MinBlockBytes = 256;

    /// <summary>
    /// The most bytes that are kept free: beyond this, blocks that a burst of large requests leaves behind go back to the runtime.
    /// </summary>
    private const long MaxFreeBytes = 32 << 20;

    private readonly Stack<byte[]>?[] _free = new Stack<byte[]>?[32 * 4];
    private long _freeBytes;

    public byte[] Rent(int minBytes)
    {
        int size = SizeOf(minBytes);
        Stack<byte[]>? blocks = _free[ClassOf(size)];
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
        (_free[ClassOf(block.Length)] ??= new Stack<byte[]>()).Push(block);
    }

    /// <summary>Rounds up to a quarter of a power of two: 64 KiB and some bytes of framing take 80 KiB, not 128.</summary>
    private static int SizeOf(int minBytes)
    {
        int bytes = Math.Max(minBytes, MinBlockBytes);
        int step = 1 << (BitOperations.Log2((uint)bytes) - 2);
        return checked((bytes + step - 1) & -step);
    }

    private static int ClassOf(int size)
    {
        int power = BitOperations.Log2((uint)size);
        return (power * 4) + ((size >> (power - 2)) & 3);
    }
}
