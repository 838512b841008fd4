namespace Cocaine.Fast.Core.Jobs;

/// <summary>
/// Where a job is. <c>queued → running → streaming → done</c>, and <c>failed</c> from each; a retry takes it from running back to queued. A
/// job whose caller has its answer may stay on its slave's channel until the worker has closed its side too.
/// </summary>
internal enum JobState
{
    /// <summary>In the pool of job objects, or just taken from it: no caller's.</summary>
    Free,

    /// <summary>Waits in the app's queue.</summary>
    Queued,

    /// <summary>On a slave; no byte of its answer has left the node.</summary>
    Running,

    /// <summary>On a slave; its answer has begun.</summary>
    Streaming,

    /// <summary>Answered with close.</summary>
    Done,

    /// <summary>Answered with an error.</summary>
    Failed,
}
