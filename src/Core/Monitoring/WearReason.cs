namespace Cocaine.Fast.Core.Monitoring;

/// <summary>Why a slave is to be replaced.</summary>
internal enum WearReason
{
    /// <summary>The slave is not worn.</summary>
    None,

    /// <summary>The slave has done its engine.max-jobs.</summary>
    Jobs,

    /// <summary>The slave is as old as engine.max-age.</summary>
    Age,

    /// <summary>The slave's resident memory is over engine.max-rss.</summary>
    Memory,

    /// <summary>The slave keeps channels of jobs that were answered long ago: each takes the place of a job.</summary>
    AbandonedJobs,
}
