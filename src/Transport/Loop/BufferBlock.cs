using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Core.Memory;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// A block of a slab, lent as the memory of an output pipe or as a segment of received bytes. Each block is lent once at a time.
/// </summary>
/// <remarks>
/// Safety: the slab's array is pinned, so the address holds for the block's life. A segment is filled to its end before the next one
/// follows it, so <see cref="ReadOnlySequenceSegment{T}.Memory"/> is the whole block, and only the last segment's end is kept elsewhere.
/// </remarks>
internal sealed unsafe class BufferBlock : SharedSegment, IMemoryOwner<byte>
{
    private readonly Action<BufferBlock> _giveBack;
    private bool _isLent;

    /// <param name="memory">The block's memory, which is pinned.</param>
    /// <param name="giveBack">Gets the block when it is lent no more.</param>
    public BufferBlock(Memory<byte> memory, Action<BufferBlock> giveBack)
    {
        _giveBack = giveBack;
        Whole = memory;
        Memory = memory;
    }

    /// <summary>All of the block's memory.</summary>
    public Memory<byte> Whole { get; }

    Memory<byte> IMemoryOwner<byte>.Memory => Whole;

    /// <summary>The block's first byte.</summary>
    public byte* Start => (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(Whole.Span));

    /// <summary>The connection that receives into the block's rest next, and has no bytes in it. Null when there is none.</summary>
    public PartialInput? TailOf { get; set; }

    /// <summary>Somebody has kept bytes of the block, beside the connection that received them.</summary>
    public bool IsKept => HasOtherUsers;

    protected override int SizeBytes => Whole.Length;

    /// <summary>The block is lent.</summary>
    public BufferBlock Lend()
    {
        _isLent = true;
        return this;
    }

    /// <summary>The block begins a chain of received bytes, or follows a full one, and has one user.</summary>
    public void Follow(BufferBlock? previous)
    {
        Keep();
        RunningIndex = previous is null ? 0 : previous.RunningIndex + previous.Whole.Length;
        previous?.SetNext(this);
    }

    /// <summary>Gives the block back, once: a block that is given back twice would belong to two connections.</summary>
    public void Dispose()
    {
        if (_isLent)
        {
            _isLent = false;
            Next = null;
            TailOf = null;
            _giveBack(this);
        }
    }

    protected override void OnFree() => Dispose();

    protected override void OnAlone() => TailOf?.OnTailAlone();

    private void SetNext(BufferBlock next) => Next = next;
}
