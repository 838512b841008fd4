using Cocaine.Fast.Core.Rings;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.SharedMemory;

/// <summary>
/// The page beside a worker's socket, with the words about what the worker has begun. docs/worker-protocol.md has the layout.
/// </summary>
/// <remarks>
/// Safety: owns the mapping until <see cref="Dispose"/>, after which no <see cref="Words"/> may be used, and the descriptor until
/// <see cref="CloseDescriptor"/>. A received page has the size and the mark of one before it is used.
/// </remarks>
internal sealed unsafe class BeginPage : IDisposable
{
    private readonly byte* _start;
    private bool _disposed;

    private BeginPage(byte* start, int descriptor)
    {
        _start = start;
        Descriptor = descriptor;
    }

    /// <summary>The memfd; -1 once it was closed.</summary>
    public int Descriptor { get; private set; }

    /// <summary>The words in the page.</summary>
    public BeginWords Words => new(_start, isTwice: true);

    /// <exception cref="IOException">No memory, or no descriptor.</exception>
    public static BeginPage Create(int mostBegun)
    {
        int descriptor = SealedMemory.Create("cocaine-begin", RingDescriptor.PageSizeBytes);
        byte* start = SealedMemory.MapOrClose(RingDescriptor.PageSizeBytes, descriptor);
        *(ulong*)(start + RingDescriptor.MagicOffset) = RingDescriptor.PageMagic;
        BeginPage page = new(start, descriptor);
        page.SetMostBegun(mostBegun);
        return page;
    }

    /// <summary>Maps a page that the node passed over, and takes over its descriptor; closes the descriptor when it throws.</summary>
    /// <exception cref="InvalidDataException">It is no such page.</exception>
    public static BeginPage Open(int descriptor)
    {
        if (SealedMemory.SizeBytes(descriptor) != RingDescriptor.PageSizeBytes)
        {
            _ = LibC.close(descriptor);
            throw new InvalidDataException("the page about begun jobs has another size");
        }

        BeginPage page = new(SealedMemory.MapOrClose(RingDescriptor.PageSizeBytes, descriptor), descriptor);
        if (*(ulong*)(page._start + RingDescriptor.MagicOffset) != RingDescriptor.PageMagic)
        {
            page.Dispose();
            throw new InvalidDataException("the page about begun jobs has another mark");
        }

        page.CloseDescriptor();
        return page;
    }

    /// <summary>Says how many jobs the worker may have begun and not ended; before the answer to its handshake.</summary>
    public void SetMostBegun(int most) => *(int*)(_start + RingDescriptor.MostBegunOffset) = most;

    /// <summary>Closes the descriptor once the other side has its own; the mapping stays.</summary>
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
        if (!_disposed)
        {
            _disposed = true;
            CloseDescriptor();
            _ = LibC.munmap(_start, RingDescriptor.PageSizeBytes);
        }
    }
}
