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

    /// <summary>The longest name of a congestion control: TCP_CA_NAME_MAX.</summary>
    private const int MostNameBytes = 16;

    private static ReadOnlySpan<byte> Reno => "reno"u8;

    /// <summary>
    /// Makes the connections of a socket that is about to listen send without pacing. Where the host's default is BBR, the kernel's
    /// timers spread the sends of a turn over time that the loopback does not need (docs/performance.md). This must be before the
    /// handshake: BBR switches the pacing of a connection on with it, and no later choice switches the pacing off (sk_pacing_status in the
    /// kernel's net/ipv4/tcp_bbr.c). Every kernel has Reno and allows it to everybody; a refusal changes nothing.
    /// </summary>
    /// <returns>The host's choice, for connections to other hosts; empty when the kernel does not tell it, and changed nothing.</returns>
    public static byte[] TakePacingOff(int descriptor)
    {
        byte* name = stackalloc byte[MostNameBytes];
        uint length = MostNameBytes;
        if (LibC.getsockopt(descriptor, TcpLevel, CongestionControl, name, &length) != 0)
        {
            return [];
        }

        byte[] hosts = new ReadOnlySpan<byte>(name, (int)length).TrimEnd((byte)0).ToArray();
        SetCongestionControl(descriptor, Reno);
        return hosts;
    }

    /// <summary>Like <see cref="TakePacingOff"/>, for a socket that is about to connect to a loopback address; else does nothing.</summary>
    public static void PrepareConnect(int descriptor, EndPoint address)
    {
        if (address is IPEndPoint { Address: { } to } && IPAddress.IsLoopback(to))
        {
            TakePacingOff(descriptor);
        }
    }

    /// <summary>Makes the socket send at once, and notice a peer that is gone without a word.</summary>
    /// <param name="descriptor">A connected socket.</param>
    /// <param name="hostsChoice">
    /// The host's congestion control, which a connection to another host gets back; empty where <see cref="TakePacingOff"/> was not called.
    /// </param>
    public static void Apply(int descriptor, ReadOnlySpan<byte> hostsChoice = default)
    {
        Set(descriptor, TcpLevel, NoDelay, 1);
        Set(descriptor, SocketLevel, KeepAlive, 1);
        Set(descriptor, TcpLevel, KeepIdle, KeepIdleS);
        Set(descriptor, TcpLevel, KeepInterval, KeepIntervalS);
        Set(descriptor, TcpLevel, KeepCount, KeepQuestions);
        Set(descriptor, TcpLevel, UserTimeout, UserTimeoutMs);
        if (!hostsChoice.IsEmpty && !hostsChoice.SequenceEqual(Reno) && !IsWithinHost(descriptor))
        {
            SetCongestionControl(descriptor, hostsChoice);
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

    private static void SetCongestionControl(int descriptor, ReadOnlySpan<byte> name)
    {
        fixed (byte* text = name)
        {
            _ = LibC.setsockopt(descriptor, TcpLevel, CongestionControl, text, (uint)name.Length);
        }
    }

    private static bool IsWithinHost(int descriptor)
    {
        IPAddress local = SocketNames.Local(descriptor);
        return IPAddress.IsLoopback(local) || local.Equals(SocketNames.Remote(descriptor));
    }
}
