using System.Net;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The settings of every connected TCP socket, on either side.</summary>
/// <remarks>Safety: setsockopt gets addresses of locals and of constant text, and keeps none.</remarks>
internal static unsafe class SocketTuning
{
    private const int TcpLevel = 6, NoDelay = 1, CongestionControl = 13;

    /// <summary>
    /// Makes the socket send at once and, to a peer on this host, without pacing: where the host's default is BBR, its timers spread the
    /// sends of a turn over time that the loopback does not need (docs/performance.md). Every kernel has Reno and allows it to everybody; a
    /// refusal changes nothing.
    /// </summary>
    public static void Apply(int descriptor)
    {
        int one = 1;
        _ = LibC.setsockopt(descriptor, TcpLevel, NoDelay, &one, sizeof(int));
        if (IsWithinHost(descriptor))
        {
            ReadOnlySpan<byte> name = "reno"u8;
            fixed (byte* text = name)
            {
                _ = LibC.setsockopt(descriptor, TcpLevel, CongestionControl, text, (uint)name.Length);
            }
        }
    }

    private static bool IsWithinHost(int descriptor)
    {
        IPAddress local = SocketNames.Local(descriptor);
        return IPAddress.IsLoopback(local) || local.Equals(SocketNames.Remote(descriptor));
    }
}
