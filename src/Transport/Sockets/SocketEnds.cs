using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>How a stream socket is ended, where closing it is too much or too little.</summary>
/// <remarks>Safety: passes the address of a local to setsockopt, which keeps none.</remarks>
internal static unsafe class SocketEnds
{
    private const int WriteSide = 1, SocketLevel = 1, Linger = 13;

    /// <summary>The peer reads the end after what was sent before; what it still sends can be received.</summary>
    public static void EndWriting(int descriptor) => LibC.shutdown(descriptor, WriteSide);

    /// <summary>
    /// Makes the close that follows a reset, so that the peer cannot take it for the regular end of an answer. A Unix socket knows no
    /// reset: its peer sees the end only.
    /// </summary>
    public static void ResetOnClose(int descriptor)
    {
        int* onWithoutDelay = stackalloc int[2] { 1, 0 }; // struct linger
        _ = LibC.setsockopt(descriptor, SocketLevel, Linger, onWithoutDelay, 2 * sizeof(int));
    }
}
