using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The sends of a stream socket: one call each, which takes as much as the socket has room for.</summary>
/// <remarks>Safety: the bytes are pinned memory of an output pipe, or fixed by the caller, until the call returns.</remarks>
internal static unsafe class SocketWrites
{
    /// <summary>Buffers of one sendmsg: 64 blocks, 256 KiB, about what a socket takes at once.</summary>
    public const int MaxVectors = 64;

    /// <summary>No signal when the peer is gone, and no wait: MSG_NOSIGNAL, MSG_DONTWAIT.</summary>
    public const int Flags = 0x4000 | 0x40;

    /// <summary>Makes one send; returns the sent bytes, or a negative errno.</summary>
    public static nint Send(int descriptor, in ReadOnlySequence<byte> buffer, out long offered)
    {
        if (!buffer.IsSingleSegment)
        {
            return SendParts(descriptor, in buffer, out offered);
        }

        ReadOnlySpan<byte> span = buffer.FirstSpan;
        offered = span.Length;
        fixed (byte* start = span)
        {
            nint sent = LibC.send(descriptor, start, span.Length, Flags);
            return sent < 0 ? -Marshal.GetLastPInvokeError() : sent;
        }
    }

    public static nint SendParts(int descriptor, in ReadOnlySequence<byte> buffer, out long offered)
    {
        IoVector* vectors = stackalloc IoVector[MaxVectors];
        int count = AddParts(in buffer, vectors, MaxVectors, out offered);
        return SendMessage(descriptor, vectors, count);
    }

    public static int AddParts(in ReadOnlySequence<byte> buffer, IoVector* vectors, int most, out long offered)
    {
        int count = 0;
        offered = 0;
        foreach (ReadOnlyMemory<byte> part in buffer)
        {
            if (count == most)
            {
                break;
            }

            // Pinned by the pool: the address outlives this scope.
            vectors[count].Base = Unsafe.AsPointer(ref MemoryMarshal.GetReference(part.Span));
            vectors[count++].Length = part.Length;
            offered += part.Length;
        }

        return count;
    }

    public static nint SendMessage(int descriptor, IoVector* vectors, int count)
    {
        MessageHeader header = new() { Vectors = vectors, VectorCount = count };
        nint sent = LibC.sendmsg(descriptor, &header, Flags);
        return sent < 0 ? -Marshal.GetLastPInvokeError() : sent;
    }
}
