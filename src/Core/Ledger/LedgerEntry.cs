using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>
/// The content of a job's record. All times except the first are ns after the arrival, and null for a stage that the job did not reach.
/// </summary>
internal sealed record LedgerEntry
{
    public required ulong Id { get; init; }

    /// <summary>The task that made the job; cut when it is long.</summary>
    public required string Task { get; init; }

    /// <summary>The event that was called; cut when it is long.</summary>
    public required string Event { get; init; }

    /// <summary>The job's arrival by the wall clock of that time.</summary>
    public required DateTimeOffset Arrived { get; init; }

    /// <summary>The last time at which the job began to wait; null for a job that a slave took at once.</summary>
    public long? QueuedNs { get; init; }

    /// <summary>Begin of the job's last run.</summary>
    public long? DispatchedNs { get; init; }

    public long? FirstByteNs { get; init; }

    /// <summary>End of the job; null for an open job.</summary>
    public long? EndedNs { get; init; }

    /// <summary>The slave of the last run, or before the first run that on which the job is placed; null without either.</summary>
    public string? Slave { get; init; }

    /// <summary>The node that the last run was on; null when that was this one.</summary>
    public string? Node { get; init; }

    /// <summary>The job waits in the ring of a slave, ahead of its turn: the slave has not begun it.</summary>
    public bool IsPlaced { get; init; }

    /// <summary>How long the job stood in the ring of its slave before the last run, to the µs; null when it did not stand there.</summary>
    public long? StoodNs { get; init; }

    /// <summary>Runs begun.</summary>
    public int Runs { get; init; }

    public JobOutcome Outcome { get; init; }

    public int Category { get; init; }

    public int Code { get; init; }

    /// <summary>The error; cut when it is long.</summary>
    public string Text { get; init; } = "";

    /// <summary>How long the job waited before its last run, or before it ended without a run.</summary>
    public long? WaitedNs => DispatchedNs ?? EndedNs;
}
