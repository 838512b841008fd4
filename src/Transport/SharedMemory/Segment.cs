using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.SharedMemory;

/// <summary>
/// One slave's two rings in one block: a sealed memfd for a process, private memory for a thread of this process. Both have the layout of
/// docs/worker-protocol.md.
/// </summary>
/// <remarks>
/// Safety: the block is page-aligned and lives until <see cref="Dispose"/>; the caller of Dispose has stopped every ring end on it (their
/// Detach). A memfd is sealed against shrinking before it is shared, and its pages exist, so no access can raise SIGBUS. A received segment
/// is checked as a whole, against its real size, before a view is made.
/// </remarks>
internal sealed unsafe class Segment : IDisposable
{
    private readonly byte* _base;
    private readonly long _sizeBytes;
    private bool _disposed;

    private Segment(byte* start, long sizeBytes, int descriptor, int requestCapacity, int responseCapacity, long requestOffset,
        long responseOffset)
    {
        _base = start;
        _sizeBytes = sizeBytes;
        Descriptor = descriptor;
        Requests = new RingView(start + RingDescriptor.RequestControlOffset, start + requestOffset, requestCapacity);
        Responses = new RingView(start + RingDescriptor.ResponseControlOffset, start + responseOffset, responseCapacity);
    }

    /// <summary>The memfd, or -1 for private memory.</summary>
    public int Descriptor { get; private set; }

    public RingView Requests { get; }

    public RingView Responses { get; }

    /// <summary>The words about what the worker has begun.</summary>
    public BeginWords Words => new(_base);

    /// <summary>The block's address, for native code that serves its rings itself; valid until <see cref="Dispose"/>.</summary>
    public nint Start => (nint)_base;

    public long SizeBytes => _sizeBytes;

    /// <summary>How long the worker's side may spin before it parks, µs.</summary>
    public int SpinMicroseconds => (int)Math.Min(*(uint*)(_base + RingDescriptor.SpinMicrosecondsOffset), 1_000_000u);

    /// <summary>Makes a segment with two rings of <paramref name="capacityBytes"/> each.</summary>
    /// <exception cref="IOException">No memory, or no descriptor.</exception>
    public static Segment Create(int capacityBytes, ulong generation, int spinMicroseconds, bool shared, int mostBegun = 1)
    {
        long size = RingDescriptor.HeaderSizeBytes + (2L * capacityBytes);
        int descriptor = shared ? SealedMemory.Create("cocaine-pipe", size) : -1;
        byte* start = SealedMemory.MapOrClose(size, descriptor);
        *(ulong*)(start + RingDescriptor.MagicOffset) = RingDescriptor.Magic;
        *(uint*)(start + RingDescriptor.VersionOffset) = RingDescriptor.LayoutVersion;
        *(uint*)(start + RingDescriptor.HeaderSizeOffset) = RingDescriptor.HeaderSizeBytes;
        *(long*)(start + RingDescriptor.SegmentSizeOffset) = size;
        *(ulong*)(start + RingDescriptor.GenerationOffset) = generation;
        *(int*)(start + RingDescriptor.RequestCapacityOffset) = capacityBytes;
        *(int*)(start + RingDescriptor.ResponseCapacityOffset) = capacityBytes;
        long requests = RingDescriptor.HeaderSizeBytes;
        long responses = requests + capacityBytes;
        *(long*)(start + RingDescriptor.RequestOffsetOffset) = requests;
        *(long*)(start + RingDescriptor.ResponseOffsetOffset) = responses;
        *(int*)(start + RingDescriptor.SpinMicrosecondsOffset) = spinMicroseconds;
        *(int*)(start + RingDescriptor.MostBegunOffset) = mostBegun;
        return new Segment(start, size, descriptor, capacityBytes, capacityBytes, requests, responses);
    }

    /// <summary>
    /// Maps a segment that the node passed over, and takes over its descriptor; the method closes the descriptor when it throws.
    /// </summary>
    /// <exception cref="InvalidDataException">The header is not that of a segment of this layout.</exception>
    public static Segment Open(int descriptor)
    {
        long size = SealedMemory.SizeBytes(descriptor);
        if (size < RingDescriptor.HeaderSizeBytes)
        {
            _ = LibC.close(descriptor);
            throw new InvalidDataException($"a segment of {size} bytes is too small");
        }

        byte* start = SealedMemory.MapOrClose(size, descriptor);
        int requestCapacity = *(int*)(start + RingDescriptor.RequestCapacityOffset);
        int responseCapacity = *(int*)(start + RingDescriptor.ResponseCapacityOffset);
        long requests = *(long*)(start + RingDescriptor.RequestOffsetOffset);
        long responses = *(long*)(start + RingDescriptor.ResponseOffsetOffset);
        bool valid = *(ulong*)(start + RingDescriptor.MagicOffset) == RingDescriptor.Magic
            && *(uint*)(start + RingDescriptor.VersionOffset) == RingDescriptor.LayoutVersion
            && *(uint*)(start + RingDescriptor.HeaderSizeOffset) == RingDescriptor.HeaderSizeBytes
            && *(long*)(start + RingDescriptor.SegmentSizeOffset) == size
            && Fits(requests, requestCapacity, size) && Fits(responses, responseCapacity, size);
        if (!valid)
        {
            _ = LibC.munmap(start, (nint)size);
            _ = LibC.close(descriptor);
            throw new InvalidDataException("the segment's header is not of layout version 1");
        }

        return new Segment(start, size, descriptor, requestCapacity, responseCapacity, requests, responses);
    }

    /// <summary>Closes the descriptor once the peer has its own; the mapping stays.</summary>
    public void CloseDescriptor()
    {
        if (Descriptor >= 0)
        {
            _ = LibC.close(Descriptor);
            Descriptor = -1;
        }
    }

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        CloseDescriptor();
        _ = LibC.munmap(_base, (nint)_sizeBytes);
    }

    private static bool Fits(long offset, int capacity, long size) =>
        capacity is >= RingDescriptor.MinCapacityBytes and <= RingDescriptor.MaxCapacityBytes && (capacity & (capacity - 1)) == 0
        && offset >= RingDescriptor.HeaderSizeBytes && (offset & 7) == 0 && offset <= size - capacity;
}
