using System.Runtime.CompilerServices;

namespace Cocaine.Fast.Core.Rings;

/// <summary>
/// The place of one ring: its control words and its bytes. The same view serves memory of this process and a mapped segment.
/// </summary>
/// <remarks>
/// Safety: the memory belongs to the maker of the view (a mapped segment or a private block) and must outlive every reader and writer made
/// from the view; the owner disposes the memory only when both have stopped. The view holds its own copy of the capacity: nothing that the
/// peer can overwrite decides how far a pointer may go.
/// </remarks>
internal readonly unsafe struct RingView
{
    private readonly byte* _control;

    /// <param name="control">Start of a control block of <see cref="RingDescriptor.ControlSizeBytes"/> bytes.</param>
    /// <param name="data">Start of the ring's bytes, aligned to 8.</param>
    /// <param name="capacityBytes">A power of two within the descriptor's bounds.</param>
    public RingView(byte* control, byte* data, int capacityBytes)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacityBytes, RingDescriptor.MinCapacityBytes);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacityBytes, RingDescriptor.MaxCapacityBytes);
        if ((capacityBytes & (capacityBytes - 1)) != 0)
        {
            throw new ArgumentException("a ring's capacity is a power of two", nameof(capacityBytes));
        }

        _control = control;
        Data = data;
        CapacityBytes = capacityBytes;
    }

    public byte* Data { get; }

    public int CapacityBytes { get; }

    /// <summary>Only the writer writes it.</summary>
    public ref long Tail
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(long*)(_control + RingDescriptor.TailOffset);
    }

    /// <summary>Only the reader writes it.</summary>
    public ref long Head
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(long*)(_control + RingDescriptor.HeadOffset);
    }

    /// <summary>The reader sets it before it waits; the side that ends the wait clears it.</summary>
    public ref int ReaderParked
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(int*)(_control + RingDescriptor.ReaderParkedOffset);
    }

    /// <summary>The writer sets it when it found no room; the side that ends the wait clears it.</summary>
    public ref int WriterWaits
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref *(int*)(_control + RingDescriptor.WriterWaitsOffset);
    }
}
