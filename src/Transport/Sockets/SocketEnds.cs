using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>Ways to end a stream socket other than closing it.</summary>
/// <remarks>Safety: passes the address of a local to setsockopt, which keeps none.</remarks>
internal static unsafe class SocketEnds
{
    private const int WriteSide = 1, SocketLevel = 1, Linger = 13;

    /// <summary>The peer reads the end after the bytes that were sent before; its own bytes can still be received.</summary>
    public static void EndWriting(int descriptor) => LibC.shutdown(descriptor, WriteSide);

    /// <summary>
    /// Makes the following close a reset, so that the peer cannot take it for the regular end of an answer. A Unix socket has no reset: its
    /// peer only sees the end.
    /// </summary>
    public static void ResetOnClose(int descriptor)
    {
        int* onWithoutDelay = stackalloc int[2] { 1, 0 }; // struct linger
        _ = LibC.setsockopt(descriptor, SocketLevel, Linger, onWithoutDelay, 2 * sizeof(int));
    }
}
