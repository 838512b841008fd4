namespace Cocaine.Fast.Drivers.Base;

/// <summary>
/// The right of one node of a cluster to make the jobs of a task with <c>run-on: one</c>. On the task's loop; nothing here waits.
/// </summary>
internal interface ISingleton
{
    /// <summary>This node may make jobs now. Asked anew before each job, because the right ends by the clock.</summary>
    bool MayFire { get; }

    /// <summary>The number of the present holder of the right, higher for each; a worker tells jobs of an older holder by it.</summary>
    long Term { get; }

    /// <summary>The name of the node that has the right, as this node knows it; null when it knows none.</summary>
    string? Holder { get; }

    /// <summary>The last scheduled time that any node claimed for the task, ms since 1970; null when none is known.</summary>
    long? ClaimedMs { get; }

    /// <summary>The time after which scheduled times are still to be claimed, ms since 1970.</summary>
    /// <param name="nowMs">The present time, ms since 1970.</param>
    long AfterMs(long nowMs);

    /// <summary>
    /// Claims a scheduled time before its job is made, for no node to make it twice. The driver has one claim at a time.
    /// </summary>
    /// <param name="timeMs">The scheduled time, ms since 1970.</param>
    /// <param name="then">
    /// Called later on the loop, once: with the term when the time is this node's, with 0 when it is not.
    /// </param>
    void Claim(long timeMs, Action<long> then);
}
