namespace Cocaine.Fast.Transport.Linux;

/// <summary>The user at the other end of a Unix socket, as the kernel has recorded it at the connect. See unix(7), SO_PEERCRED.</summary>
/// <remarks>Safety: passes the address of a local to getsockopt, which writes no more than its length.</remarks>
internal static unsafe class PeerCredentials
{
    private const int SocketLevel = 1, PeerCredential = 17;

    /// <summary>The user of this process.</summary>
    public static uint OwnUser => LibC.geteuid();

    /// <summary>The process and the user of the peer. False when the socket has no local peer.</summary>
    public static bool TryRead(int descriptor, out int process, out uint user)
    {
        uint* credentials = stackalloc uint[3]; // struct ucred: pid, uid, gid
        uint length = 3 * sizeof(uint);
        bool read = LibC.getsockopt(descriptor, SocketLevel, PeerCredential, credentials, &length) == 0 && length == 3 * sizeof(uint);
        process = read ? (int)credentials[0] : 0;
        user = read ? credentials[1] : uint.MaxValue;
        return read && process > 0;
    }
}
