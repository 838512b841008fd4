using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Cocaine.Fast.Worker;

/// <summary>A chunk of a request that lies where the node has written it, in the slave's ring.</summary>
/// <remarks>
/// Safety: the bytes are shared memory, which no collector moves. The session copies every lent chunk before it gives the ring's room back
/// (<see cref="Request.Keep"/>), and takes no message while a handler reads one (<see cref="LoopSeat.IsFixed"/>). The handler gets the
/// bytes as a span alone, which the compiler lets nobody keep. Only the loop uses this.
/// </remarks>
internal unsafe struct LentChunk
{
    private byte* _bytes;

    public LentChunk(ReadOnlySpan<byte> bytes)
    {
        _bytes = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));
        Length = bytes.Length;
    }

    public int Length { get; private set; }

    public readonly bool IsThere => _bytes is not null;

    /// <summary>The bytes; they are lent no more.</summary>
    public ReadOnlySpan<byte> Take()
    {
        ReadOnlySpan<byte> bytes = new(_bytes, Length);
        this = default;
        return bytes;
    }
}
