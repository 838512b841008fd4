using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>A pinned piece of memory, cut into blocks of one size. A slab with free blocks is in its <see cref="SlabList"/>.</summary>
/// <remarks>
/// Safety: the array is pinned, so its blocks' addresses hold for its life. The blocks begin at a border of a page and fill whole pages, so
/// <see cref="GiveBack"/> takes these pages and nothing else; the pool calls it only when no block is lent.
/// </remarks>
internal sealed unsafe class BufferSlab
{
    /// <summary>Bytes of one slab's blocks: 64 small ones or 4 large ones.</summary>
    public const int SizeBytes = 256 << 10;

    private const int PageBytes = 4096, DontNeed = 4;

    private readonly byte[] _memory = GC.AllocateUninitializedArray<byte>(SizeBytes + PageBytes, pinned: true);
    private readonly SlabList _home;
    private readonly BufferBlock[] _free;
    private readonly byte* _start; // of the blocks

    public BufferSlab(SlabList home, int blockBytes)
    {
        _home = home;
        _free = new BufferBlock[SizeBytes / blockBytes];
        byte* memory = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        _start = (byte*)(((nint)memory + PageBytes - 1) & -PageBytes);
        Action<BufferBlock> giveBack = Return;
        foreach (ref BufferBlock block in _free.AsSpan())
        {
            int at = (int)(_start - memory) + SizeBytes - ((FreeCount + 1) * blockBytes);
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
    /// Gives the blocks' memory to the system now. They can be lent again, and get memory page by page when it is written to. The runtime
    /// would keep the memory of a dead slab until a collection, and an idle node has none.
    /// </summary>
    public void GiveBack()
    {
        _ = LibC.madvise(_start, SizeBytes, DontNeed); // advice: without it the memory stays
        GC.KeepAlive(_memory);
    }
}
