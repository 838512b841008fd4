namespace Cocaine.Fast.Core.Monitoring;

/// <summary>Why a job was not accepted.</summary>
internal enum RefusalReason
{
    /// <summary>The queue has its queue-limit of jobs.</summary>
    QueueJobs,

    /// <summary>The queue has its queue-bytes.</summary>
    QueueBytes,

    /// <summary>The app is paused.</summary>
    Paused,

    /// <summary>The app is draining, or has ended.</summary>
    Draining,

    /// <summary>No slave of the app starts.</summary>
    Broken,
}
