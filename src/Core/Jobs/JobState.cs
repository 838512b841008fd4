namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// The state of a job: <c>queued → running → streaming → done</c>, and <c>failed</c> from each of the first three; a retry takes a job from
/// running back to queued. A job may be placed between queued and running, and may be taken back from either to queued. A job that is away
/// came from queued, or is new; it goes to done or failed, or back to queued. An answered job may stay on its slave's channel until the
/// worker has closed its side too.
/// </summary>
internal enum JobState
{
    /// <summary>The object is in the store, or just taken from it: it is no caller's job.</summary>
    Free,

    /// <summary>The job waits in the app's queue.</summary>
    Queued,

    /// <summary>Waits as a queued job does, in a slave's ring, where its turn comes sooner: the worker has not begun it.</summary>
    Placed,

    /// <summary>The job is on a slave; no byte of its answer has left the node.</summary>
    Running,

    /// <summary>The job is on a slave; its answer has begun.</summary>
    Streaming,

    /// <summary>The job is with another loop of its app or with another node, whose slave runs it, or on its way there or back.</summary>
    Away,

    /// <summary>The job was answered with close.</summary>
    Done,

    /// <summary>The job was answered with an error.</summary>
    Failed,
}
