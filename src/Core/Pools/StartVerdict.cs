namespace Cocaine.Fast.Core.Pools;

/// <summary>What a slave's end means for the app's starts.</summary>
internal enum StartVerdict
{
    /// <summary>The end says nothing: the slave was told to end.</summary>
    None,

    /// <summary>The start was good: the slave had done a job or was up for engine.min-uptime.</summary>
    Good,

    /// <summary>The start failed: the slave ended before it was ready, or soon after it and not because of a job.</summary>
    Failed,

    /// <summary>
    /// The slave ended soon after it was ready, with its first jobs on it: the start or a job may be the cause. This slows starts down but
    /// does not break the app, because a job that kills must not make other jobs fail.
    /// </summary>
    FailedWithJobs,
}
