namespace Cocaine.Fast.Core.Protocol;

/// <summary>The second element of a message on a worker's control channel, as docs/worker-protocol.md numbers them.</summary>
internal static class ControlType
{
    /// <summary>The worker's first message, with its uuid, and the node's answer to it.</summary>
    public const byte Handshake = 0;

    /// <summary>A heartbeat, without arguments.</summary>
    public const byte Heartbeat = 0;

    /// <summary>The node tells the worker to end, or the worker says that it wants to end.</summary>
    public const byte Terminate = 1;

    /// <summary>The receiver of a channel's chunks asks their sender to hold them, or to go on.</summary>
    public const byte Flow = 2;

    /// <summary>The node takes jobs back that the worker has not begun.</summary>
    public const byte Recall = 3;
}
