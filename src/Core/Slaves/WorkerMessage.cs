namespace Cocaine.Fast.Core.Slaves;

/// <summary>The messages that a worker may send, as docs/worker-protocol.md has them.</summary>
internal enum WorkerMessage
{
    /// <summary>The message breaks the protocol.</summary>
    Broken,

    /// <summary>A piece of a job's answer.</summary>
    Chunk,

    /// <summary>The job has failed, and its channel is closed.</summary>
    Error,

    /// <summary>The job's answer is whole, and its channel is closed.</summary>
    Close,

    /// <summary>A message on a channel that the worker closed before: the message means nothing.</summary>
    Late,

    /// <summary>A heartbeat.</summary>
    Heartbeat,

    /// <summary>The handler of a job has much of its request unread: the node keeps the rest for now.</summary>
    Hold,

    /// <summary>The handler of a job has read enough: the node sends the rest of the request.</summary>
    GoOn,

    /// <summary>The worker wants to end, or confirms that it was told to end.</summary>
    AsksToEnd,
}
