namespace Cocaine.Fast.Core.Protocol;

/// <summary>The second element of a message on a job's channel, as docs/protocol.md numbers them.</summary>
internal static class MessageType
{
    /// <summary>A piece of the request or of the answer; the first message of a channel names its event.</summary>
    public const byte Chunk = 0;

    /// <summary>The sending side has failed, and sends no more messages on the channel.</summary>
    public const byte Error = 1;

    /// <summary>The sending side has sent all its messages.</summary>
    public const byte Close = 2;
}
