namespace Cocaine.Fast.Core.Monitoring;

/// <summary>Why a slave is to be replaced.</summary>
internal enum WearReason
{
    /// <summary>It is not.</summary>
    None,

    /// <summary>It has done its engine.max-jobs.</summary>
    Jobs,

    /// <summary>It is as old as engine.max-age.</summary>
    Age,

    /// <summary>Its resident memory is over engine.max-rss.</summary>
    Memory,

    /// <summary>It keeps channels of jobs that were answered long ago: each is a place for a job less.</summary>
    AbandonedJobs,
}
