using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The buffers of one loop: pinned blocks cut from slabs, and pipes on them. ArrayPool.Shared keeps only some tens of arrays for each size
/// and thread, so it allocates when many connections are busy in one turn; this pool keeps all its blocks. A connection holds a pipe only
/// while it has bytes in it: idle connections cost no buffer.
/// </summary>
/// <remarks>Safety: blocks are pinned arrays, so their addresses hold for their life. One thread, the loop's, uses the pool.</remarks>
internal sealed class BufferPool : MemoryPool<byte>
{
    /// <summary>One block: a page, room for some tens of small messages of a turn.</summary>
    public const int BlockSizeBytes = 4096;

    /// <summary>
    /// A large block, for a peer that sends or gets more than a small one holds: as much as a socket takes at once, in few calls.
    /// </summary>
    public const int LargeBlockSizeBytes = 64 << 10;

    /// <summary>Bytes of one slab on the pinned heap, never moved: 64 small blocks or 4 large ones.</summary>
    private const int SlabBytes = 256 << 10;

    // Buffers stay once they were made: as many as were in use at the same time. The connections' own bounds limit this number.
    private readonly Stack<Block> _free = new();
    private readonly Stack<Block> _freeLarge = new();
    private readonly Stack<Pipe> _pipes = new();
    private readonly PipeOptions _options;

    public BufferPool()
    {
        // Thresholds are off: the connection itself stops reading when too much waits, see SocketConnection.
        _options = new PipeOptions(this, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, BlockSizeBytes,
            useSynchronizationContext: false);
    }

    public override int MaxBufferSize => LargeBlockSizeBytes;

    /// <summary>Blocks made so far; for tests.</summary>
    public int BlockCount { get; private set; }

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        bool large = minBufferSize > BlockSizeBytes;
        Stack<Block> free = large ? _freeLarge : _free;
        if (free.Count == 0)
        {
            AddSlab(free, large ? LargeBlockSizeBytes : BlockSizeBytes);
        }

        Block block = free.Pop();
        block.IsRented = true;
        return block;
    }

    /// <summary>An empty pipe.</summary>
    public Pipe RentPipe() => _pipes.Count > 0 ? _pipes.Pop() : new Pipe(_options);

    /// <summary>Takes back a pipe that was read to its end.</summary>
    public void ReturnPipe(Pipe pipe) => _pipes.Push(pipe);

    protected override void Dispose(bool disposing)
    {
    }

    private void AddSlab(Stack<Block> free, int blockBytes)
    {
        byte[] slab = GC.AllocateUninitializedArray<byte>(SlabBytes, pinned: true);
        for (int at = SlabBytes - blockBytes; at >= 0; at -= blockBytes)
        {
            free.Push(new Block(free, MemoryMarshal.CreateFromPinnedArray(slab, at, blockBytes)));
            BlockCount++;
        }
    }

    private sealed class Block(Stack<Block> home, Memory<byte> memory) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = memory;

        public bool IsRented { get; set; }

        /// <summary>Each block once: a block that is given back twice would belong to two connections at once.</summary>
        public void Dispose()
        {
            if (IsRented)
            {
                IsRented = false;
                home.Push(this);
            }
        }
    }
}
