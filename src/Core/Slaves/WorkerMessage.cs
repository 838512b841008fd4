namespace Cocaine.Fast.Core.Slaves;

/// <summary>The messages that a worker may send, as docs/worker-protocol.md has them.</summary>
internal enum WorkerMessage
{
    /// <summary>It breaks the protocol.</summary>
    Broken,

    /// <summary>A piece of a job's answer.</summary>
    Chunk,

    /// <summary>The job has failed, and its channel is closed.</summary>
    Error,

    /// <summary>The job's answer is whole, and its channel is closed.</summary>
    Close,

    /// <summary>A message on a channel that the worker has closed before: it means nothing.</summary>
    Late,

    /// <summary>A sign of life.</summary>
    Heartbeat,

    /// <summary>The worker wants to go, or echoes that it was told to.</summary>
    AsksToEnd,
}
