using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// The buffers of one loop: pinned blocks cut from slabs, and pipes on them. ArrayPool.Shared keeps only some tens of arrays per size and
/// thread, so it allocates when many connections are busy in one turn; this pool keeps what it made. A connection holds a pipe only
/// while it
/// has bytes in it: idle ones cost no buffer.
/// </summary>
/// <remarks>Safety: blocks are pinned arrays, so their addresses hold for their life. One thread, the loop's, uses the pool.</remarks>
internal sealed class BufferPool : MemoryPool<byte>
{
    /// <summary>One block: a page, room for some tens of small messages of a turn.</summary>
    public const int BlockSizeBytes = 4096;

    /// <summary>Blocks of one slab: 128 KiB, on the pinned heap and never moved.</summary>
    private const int BlocksPerSlab = 32;

    private readonly Stack<Block> _free = new();
    private readonly Stack<Pipe> _pipes = new();
    private readonly PipeOptions _options;

    public BufferPool()
    {
        // Thresholds are off: the connection itself stops reading when too much waits, see SocketConnection.
        _options = new PipeOptions(this, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, BlockSizeBytes,
            useSynchronizationContext: false);
    }

    public override int MaxBufferSize => BlockSizeBytes;

    /// <summary>Blocks made so far; for tests.</summary>
    public int BlockCount { get; private set; }

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1)
    {
        if (_free.Count == 0)
        {
            AddSlab();
        }

        return _free.Pop();
    }

    /// <summary>An empty pipe.</summary>
    public Pipe RentPipe() => _pipes.Count > 0 ? _pipes.Pop() : new Pipe(_options);

    /// <summary>Takes back a pipe that was read to its end.</summary>
    public void ReturnPipe(Pipe pipe) => _pipes.Push(pipe);

    protected override void Dispose(bool disposing)
    {
    }

    private void AddSlab()
    {
        byte[] slab = GC.AllocateUninitializedArray<byte>(BlocksPerSlab * BlockSizeBytes, pinned: true);
        for (int i = BlocksPerSlab - 1; i >= 0; i--)
        {
            _free.Push(new Block(this, MemoryMarshal.CreateFromPinnedArray(slab, i * BlockSizeBytes, BlockSizeBytes)));
        }

        BlockCount += BlocksPerSlab;
    }

    private sealed class Block(BufferPool pool, Memory<byte> memory) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory { get; } = memory;

        public void Dispose() => pool._free.Push(this);
    }
}
