using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Ledger;

/// <summary>The content of a job's record. Times but the first are ns after the arrival; null for a stage that it did not reach.</summary>
internal sealed record LedgerEntry
{
    public required ulong Id { get; init; }

    /// <summary>The task that it came through; cut when it is long.</summary>
    public required string Task { get; init; }

    /// <summary>The event that was called; cut when it is long.</summary>
    public required string Event { get; init; }

    /// <summary>When it came, by the wall clock of then.</summary>
    public required DateTimeOffset Arrived { get; init; }

    /// <summary>When it last began to wait; null for a job that a slave took at once.</summary>
    public long? QueuedNs { get; init; }

    /// <summary>When its last run began.</summary>
    public long? DispatchedNs { get; init; }

    public long? FirstByteNs { get; init; }

    /// <summary>Null for an open job.</summary>
    public long? EndedNs { get; init; }

    /// <summary>The slave of its last run; null when it never ran.</summary>
    public string? Slave { get; init; }

    /// <summary>Runs begun.</summary>
    public int Runs { get; init; }

    public JobOutcome Outcome { get; init; }

    public int Category { get; init; }

    public int Code { get; init; }

    /// <summary>The error; cut when it is long.</summary>
    public string Text { get; init; } = "";

    /// <summary>How long it waited before its last run, or before it ended without one.</summary>
    public long? WaitedNs => DispatchedNs ?? EndedNs;
}
