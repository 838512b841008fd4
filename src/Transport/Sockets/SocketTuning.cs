using System.Net;
using Cocaine.Fast.Transport.Linux;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>The settings of every connected TCP socket, on either side.</summary>
/// <remarks>Safety: setsockopt gets addresses of locals and of constant text, and keeps none.</remarks>
internal static unsafe class SocketTuning
{
    private const int SocketLevel = 1, KeepAlive = 9;
    private const int TcpLevel = 6, NoDelay = 1, KeepIdle = 4, KeepInterval = 5, KeepCount = 6, QuickAck = 12, CongestionControl = 13,
        UserTimeout = 18;

    /// <summary>After this silence a peer is asked whether it lives, s: few packets, and minutes until its loss is noticed.</summary>
    private const int KeepIdleS = 60;

    /// <summary>Time between two questions, s, and how many stay unanswered at the end: two minutes of a bad network.</summary>
    private const int KeepIntervalS = 15, KeepQuestions = 8;

    /// <summary>
    /// Longest time for which sent bytes stay unacknowledged, or unsent because the peer takes none, ms. The kernel's own end comes after a
    /// quarter of an hour, or never for a peer that takes none.
    /// </summary>
    private const int UserTimeoutMs = 5 * 60 * 1000;

    /// <summary>
    /// Makes the socket notice a peer that is gone without a word. Makes it send at once and, to a peer on this host, without pacing: where
    /// the host's default is BBR, its timers spread the sends of a turn over time that the loopback does not need (docs/performance.md).
    /// Every kernel has Reno and allows it to everybody; a refusal changes nothing.
    /// </summary>
    public static void Apply(int descriptor)
    {
        Set(descriptor, TcpLevel, NoDelay, 1);
        Set(descriptor, SocketLevel, KeepAlive, 1);
        Set(descriptor, TcpLevel, KeepIdle, KeepIdleS);
        Set(descriptor, TcpLevel, KeepInterval, KeepIntervalS);
        Set(descriptor, TcpLevel, KeepCount, KeepQuestions);
        Set(descriptor, TcpLevel, UserTimeout, UserTimeoutMs);
        if (IsWithinHost(descriptor))
        {
            ReadOnlySpan<byte> name = "reno"u8;
            fixed (byte* text = name)
            {
                _ = LibC.setsockopt(descriptor, TcpLevel, CongestionControl, text, (uint)name.Length);
            }
        }
    }

    /// <summary>
    /// Acknowledges the received bytes now. The kernel waits for up to 40 ms for an answer to go with the acknowledgement; and a peer that
    /// sends a request in several small writes without TCP_NODELAY sends the next one when the first is acknowledged (RFC 896, RFC 1122
    /// 4.2.3.2). The setting ends by itself. A Unix socket knows no such option, and nothing happens.
    /// </summary>
    public static void AcknowledgeNow(int descriptor) => Set(descriptor, TcpLevel, QuickAck, 1);

    private static void Set(int descriptor, int level, int option, int value) =>
        _ = LibC.setsockopt(descriptor, level, option, &value, sizeof(int));

    private static bool IsWithinHost(int descriptor)
    {
        IPAddress local = SocketNames.Local(descriptor);
        return IPAddress.IsLoopback(local) || local.Equals(SocketNames.Remote(descriptor));
    }
}
