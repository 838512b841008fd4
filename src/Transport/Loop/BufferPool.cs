using System.Buffers;
using System.IO.Pipelines;
using Cocaine.Fast.Core.Timing;

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
    /// The most bytes that whole slabs keep: enough for a thousand busy connections. The memory above it goes back to the system at once.
    /// </summary>
    public const int MaxKeptBytes = 64 << 20;

    /// <summary>Bytes that whole slabs keep for good: the memory of an idle node hardly counts them.</summary>
    public const int AlwaysKeptBytes = 4 << 20;

    /// <summary>
    /// Time between two looks at the memory that nobody uses. A load that pauses for less keeps its memory: to get it back costs a fault
    /// for each page.
    /// </summary>
    public const int TrimMs = 1000;

    /// <summary>The most slabs that one look gives back, 16 MiB: about a millisecond of the loop's time.</summary>
    private const int MostSlabsOfTrim = 64;

    /// <summary>
    /// The most bytes of slabs that are kept without memory, so that a load that comes and goes makes no garbage: as much as unfinished
    /// messages take at most, and more. Each costs a page.
    /// </summary>
    private const long MaxEmptyBytes = 256L << 20;

    /// <summary>The most pipes that are kept without a use: some 6 MiB.</summary>
    private const int MaxKeptPipes = 16_384;

    private readonly SlabList _small;
    private readonly SlabList _large;
    private readonly Stack<Pipe> _pipes = new();
    private readonly PipeOptions _options;
    private readonly Trim? _trim;
    private long _emptyBytes; // of slabs without memory
    private int _leastKept;   // the least bytes that were kept since the last look

    /// <param name="timers">The wheel of the loop; without it only a burst above the bound gives memory back.</param>
    /// <param name="nowMs">Gives the time of the wheel, ms.</param>
    public BufferPool(DeadlineWheel? timers = null, Func<long>? nowMs = null)
    {
        _trim = timers is null ? null : new Trim(this, timers, nowMs!);
        _small = new SlabList(this, BlockSizeBytes);
        _large = new SlabList(this, LargeBlockSizeBytes);

        // Thresholds are off: the connection itself stops reading when too much waits, see SocketConnection.
        _options = new PipeOptions(this, PipeScheduler.Inline, PipeScheduler.Inline, 0, 0, BlockSizeBytes,
            useSynchronizationContext: false);
    }

    public override int MaxBufferSize => LargeBlockSizeBytes;

    /// <summary>Blocks made so far; for tests.</summary>
    public int BlockCount { get; private set; }

    /// <summary>Bytes of the slabs of which no block is lent, and which have memory.</summary>
    public int KeptBytes { get; private set; }

    /// <summary>Bytes of the slabs that have memory, lent or not.</summary>
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
    internal void OnTaken()
    {
        KeptBytes -= BufferSlab.SizeBytes;
        _leastKept = Math.Min(_leastKept, KeptBytes);
    }

    /// <summary>A slab without memory lends again, and so gets memory.</summary>
    internal void OnFilled()
    {
        _emptyBytes -= BufferSlab.SizeBytes;
        SizeBytes += BufferSlab.SizeBytes;
        _leastKept = 0; // nothing was left
    }

    /// <summary>A slab is whole again.</summary>
    internal void OnWhole(SlabList list)
    {
        KeptBytes += BufferSlab.SizeBytes;
        if (KeptBytes > MaxKeptBytes)
        {
            _ = TryGiveBack(list);
        }
        else if (KeptBytes > AlwaysKeptBytes)
        {
            _trim?.Start();
        }
    }

    private bool TryGiveBack(SlabList list)
    {
        bool isKept = _emptyBytes < MaxEmptyBytes;
        if (!list.TryGiveBack(isKept))
        {
            return false;
        }

        _emptyBytes += isKept ? BufferSlab.SizeBytes : 0;
        KeptBytes -= BufferSlab.SizeBytes;
        SizeBytes -= BufferSlab.SizeBytes;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
    }

    /// <summary>Gives back half of the memory that nobody used since the last look, each time, until little is kept.</summary>
    private sealed class Trim(BufferPool pool, DeadlineWheel timers, Func<long> nowMs) : WheelTimer
    {
        public void Start()
        {
            if (!IsArmed)
            {
                pool._leastKept = pool.KeptBytes;
                timers.Arm(this, nowMs() + TrimMs);
            }
        }

        public override void OnDue(long nowMs)
        {
            int unused = Math.Min(pool._leastKept, pool.KeptBytes) - AlwaysKeptBytes;
            int slabs = Math.Min((unused + (2 * BufferSlab.SizeBytes) - 1) / (2 * BufferSlab.SizeBytes), MostSlabsOfTrim);
            while (slabs > 0 && (pool.TryGiveBack(pool._large) || pool.TryGiveBack(pool._small)))
            {
                slabs--;
            }

            if (pool.KeptBytes > AlwaysKeptBytes)
            {
                pool._leastKept = pool.KeptBytes;
                timers.Arm(this, nowMs + TrimMs);
            }
        }
    }
}
