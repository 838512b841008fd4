using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>A pinned piece of memory, cut into blocks of one size. A slab with free blocks is in its <see cref="SlabList"/>.</summary>
/// <remarks>
/// Safety: the array is pinned, so its blocks' addresses hold for its life. <see cref="GiveBack"/> takes only whole pages within the array,
/// and the pool calls it only when no block is lent.
/// </remarks>
internal sealed unsafe class BufferSlab
{
    /// <summary>Bytes of one slab: 64 small blocks or 4 large ones.</summary>
    public const int SizeBytes = 256 << 10;

    private const int PageBytes = 4096, DontNeed = 4;

    private readonly byte[] _memory = GC.AllocateUninitializedArray<byte>(SizeBytes, pinned: true);
    private readonly SlabList _home;
    private readonly BufferBlock[] _free;

    public BufferSlab(SlabList home, int blockBytes)
    {
        _home = home;
        _free = new BufferBlock[SizeBytes / blockBytes];
        Action<BufferBlock> giveBack = Return;
        foreach (ref BufferBlock block in _free.AsSpan())
        {
            int at = SizeBytes - ((FreeCount + 1) * blockBytes);
            block = new BufferBlock(MemoryMarshal.CreateFromPinnedArray(_memory, at, blockBytes), giveBack);
            FreeCount++;
        }
    }

    /// <summary>The neighbours in the slab's list. Valid while the slab has free blocks.</summary>
    internal BufferSlab? Next, Previous;

    public int FreeCount { get; private set; }

    public int BlockCount => _free.Length;

    public bool IsWhole => FreeCount == _free.Length;

    public BufferBlock Take() => _free[--FreeCount].Lend();

    /// <summary>A block comes back.</summary>
    private void Return(BufferBlock block)
    {
        _free[FreeCount++] = block;
        _home.OnReturned(this);
    }

    /// <summary>
    /// Gives the memory to the system now. The runtime would keep it until a collection, and an idle node has none.
    /// </summary>
    public void GiveBack()
    {
        byte* start = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        byte* first = (byte*)(((nint)start + PageBytes - 1) & -PageBytes);
        byte* end = (byte*)(((nint)start + SizeBytes) & -PageBytes);
        _ = LibC.madvise(first, (nint)(end - first), DontNeed); // advice: without it the memory is free at the next collection
        GC.KeepAlive(_memory);
    }
}
