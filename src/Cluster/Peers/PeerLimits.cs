namespace Cocaine.Fast.Cluster.Peers;

/// <summary>The bounds of the links between nodes, each with its reason.</summary>
internal static class PeerLimits
{
    /// <summary>The longest message before a link is proven: names of at most 256 bytes, and some numbers.</summary>
    public const int MaxHelloBytes = 4 << 10;

    /// <summary>The longest name of a cluster, a node, an app or a task in a message, bytes.</summary>
    public const int MaxNameBytes = 256;

    /// <summary>
    /// How long a hello may take, ms: two ways there and back, also to another continent. A node that needs longer would be a slow peer.
    /// </summary>
    public const int HelloMs = 1000;

    /// <summary>How long the handshake of TLS before it may take, ms: two ways there and back, and the work of a busy machine.</summary>
    public const int HandshakeMs = 2000;

    /// <summary>Connections whose hello is not whole: more than a cluster of 1,000 nodes opens in a second, and 4 MiB of memory.</summary>
    public const int MostGreetings = 64;

    /// <summary>Links of other nodes to one app on one loop: twice as many as a node opens, as others choose by chance.</summary>
    public const int MostSessions = 256;

    /// <summary>Time between two pieces of news about the load, ms, when it has changed: see <c>bench -- cluster-sim</c>.</summary>
    public const int NewsMs = 100;

    /// <summary>The longest time without news, ms: two of three pieces may be lost before the news are too old.</summary>
    public const int LongestNewsMs = 200;

    /// <summary>
    /// A peer from which nothing came for so long is taken for lost, ms: 25 pieces of news. Its jobs may be running still.
    /// </summary>
    public const int SilenceMs = 5000;

    /// <summary>An app that sent no job for so long needs no links, ms. An overload that comes back within a minute finds them.</summary>
    public const int UnusedMs = 60_000;

    /// <summary>Time between two looks at the number of links, ms.</summary>
    public const int LookMs = 100;

    /// <summary>The pause before a lost peer is tried again, ms. It doubles to the longest one, which is short for an operator.</summary>
    public const int FirstPauseMs = 100, LongestPauseMs = 5000;

    /// <summary>Attempts to connect at a time, so that a lost rack does not take all threads.</summary>
    public const int MostAttempts = 16;
}
