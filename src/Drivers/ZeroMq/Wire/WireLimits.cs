using Cocaine.Fast.Core.Protocol;

namespace Cocaine.Fast.Drivers.ZeroMq.Wire;

/// <summary>The bounds of all that a ZeroMQ peer can send. Nothing is kept for a length that a peer merely announces.</summary>
internal static class WireLimits
{
    /// <summary>
    /// The most bytes of a message, with the heads of its frames: a payload of the largest size, and room for a route beside it.
    /// </summary>
    public static readonly int MaxMessageBytes = ProtocolLimits.Default.MaxMessageBytes + (64 << 10);

    /// <summary>
    /// The most bytes of a message to a PUB socket, which takes subscriptions only: a topic of the largest size, and the head.
    /// </summary>
    public const int MaxSubscriptionBytes = MaxTopicBytes + 16;

    /// <summary>The most frames of a message. One more is kept to show that there were too many; the others are only counted.</summary>
    public const int MaxFrames = 1024;

    /// <summary>The most bytes of a command: a READY with an identity, and some tens of properties that programs add.</summary>
    public const int MaxCommandBytes = 8 << 10;

    /// <summary>The most properties of a READY: ZeroMQ itself sends up to three.</summary>
    public const int MaxProperties = 64;

    /// <summary>ZeroMQ's own bound of an identity.</summary>
    public const int MaxIdentityBytes = 255;

    /// <summary>The longest prefix that a peer subscribes to: more than any topic of the node has.</summary>
    public const int MaxTopicBytes = 1024;

    /// <summary>
    /// The most prefixes of one peer. Each published message is compared with all of them, which takes no longer than to send it.
    /// </summary>
    public const int MaxTopics = 256;

    /// <summary>The longest context of a PING (rfc.zeromq.org/spec/37).</summary>
    public const int MaxContextBytes = 16;
}
