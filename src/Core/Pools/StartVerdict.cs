namespace Cocaine.Fast.Core.Pools;

/// <summary>The meaning of a slave's end for the app's starts.</summary>
internal enum StartVerdict
{
    /// <summary>Nothing: it was told to end.</summary>
    None,

    /// <summary>Its start was good: it had done a job or was up for engine.min-uptime.</summary>
    Good,

    /// <summary>Its start failed: it ended before it was ready, or soon after and not of a job.</summary>
    Failed,

    /// <summary>
    /// It ended soon after it was ready, with its first jobs on it: either may be the cause. That slows starts down, but breaks no app: a
    /// job that kills must not make others fail.
    /// </summary>
    FailedWithJobs,
}
