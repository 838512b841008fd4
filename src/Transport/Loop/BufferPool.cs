using System.Buffers;
using System.IO.Pipelines;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// The buffers of one loop: pinned blocks cut from slabs, and output pipes. ArrayPool.Shared keeps only some tens of arrays for each size
/// and thread, so it allocates when many connections are busy in one turn; this pool keeps enough blocks for that. A connection holds a
/// pipe only while it has bytes in it: idle connections cost no buffer.
/// </summary>
/// <remarks>One thread, the loop's, uses the pool.</remarks>
internal sealed class BufferPool : MemoryPool<byte>
{
    /// <summary>One block: a page, room for some tens of small messages of a turn.</summary>
    public const int BlockSizeBytes = 4096;

    /// <summary>
    /// A large block, for a peer that sends or gets more than a small one holds: as much as a socket takes at once, in few calls.
    /// </summary>
    public const int LargeBlockSizeBytes = 64 << 10;

    /// <summary>
    /// The most bytes of slabs that are kept without a use: enough for a thousand busy connections. After a burst, the slabs above it go
    /// back to the system.
    /// </summary>
    public const int MaxKeptBytes = 64 << 20;

    /// <summary>The most pipes that are kept without a use: some 6 MiB.</summary>
    private const int MaxKeptPipes = 16_384;

    private readonly SlabList _small;
    private readonly SlabList _large;
    private readonly Stack<Pipe> _pipes = new();
    private readonly PipeOptions _options;

    public BufferPool()
    {
        _small = new SlabList(this, BlockSizeBytes);
        _large = new SlabList(this, LargeBlockSizeBytes);

        // Thresholds are off: the connection itself stops reading when too much waits, see SocketConnection.
        _options = new PipeOptions(this, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, BlockSizeBytes,
            useSynchronizationContext: false);
    }

    public override int MaxBufferSize => LargeBlockSizeBytes;

    /// <summary>Blocks made so far; for tests.</summary>
    public int BlockCount { get; private set; }

    /// <summary>Bytes of the slabs of which no block is lent.</summary>
    public int KeptBytes { get; private set; }

    /// <summary>Bytes of the slabs that the pool has, lent or not.</summary>
    public long SizeBytes { get; private set; }

    public override IMemoryOwner<byte> Rent(int minBufferSize = -1) => RentBlock(minBufferSize > BlockSizeBytes);

    /// <summary>A block of one of the two sizes.</summary>
    public BufferBlock RentBlock(bool isLarge) => (isLarge ? _large : _small).First().Take();

    /// <summary>An empty pipe.</summary>
    public Pipe RentPipe() => _pipes.Count > 0 ? _pipes.Pop() : new Pipe(_options);

    /// <summary>Takes back a pipe that was read to its end.</summary>
    public void ReturnPipe(Pipe pipe)
    {
        if (_pipes.Count < MaxKeptPipes)
        {
            _pipes.Push(pipe);
        }
    }

    /// <summary>A slab was made, and lends.</summary>
    internal void OnMade(BufferSlab slab)
    {
        BlockCount += slab.BlockCount;
        SizeBytes += BufferSlab.SizeBytes;
    }

    /// <summary>A slab that was kept lends again.</summary>
    internal void OnTaken() => KeptBytes -= BufferSlab.SizeBytes;

    /// <summary>A slab is whole again. False when it was given back to the system: there are enough.</summary>
    internal bool Keeps(BufferSlab slab)
    {
        if (KeptBytes + BufferSlab.SizeBytes <= MaxKeptBytes)
        {
            KeptBytes += BufferSlab.SizeBytes;
            return true;
        }

        SizeBytes -= BufferSlab.SizeBytes;
        slab.GiveBack();
        return false;
    }

    protected override void Dispose(bool disposing)
    {
    }
}
