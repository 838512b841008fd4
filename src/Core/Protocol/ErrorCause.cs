namespace Cocaine.Fast.Core.Protocol;

/// <summary>Why one of the node's own errors came about, as far as a balancer in front of several nodes has to know.</summary>
internal enum ErrorCause
{
    /// <summary>Another node would say the same, or the job may have run.</summary>
    Other,

    /// <summary>The queue has no room.</summary>
    QueueFull,

    /// <summary>The app is paused, draining or stopped.</summary>
    NotRunning,

    /// <summary>The job's deadline passed.</summary>
    Deadline,

    /// <summary>The slave was silent.</summary>
    Silence,
}
