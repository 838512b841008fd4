namespace Cocaine.Fast.Core.Jobs;

/// <summary>The records that outlive an engine: its last job number, its ledger and its quarantine.</summary>
internal sealed record EngineRecords
{
    /// <summary>Keeps no records; the numbers of jobs begin at 1.</summary>
    public static readonly EngineRecords None = new();

    /// <summary>The last job number that an engine before this one may have used; the first one of this engine follows it.</summary>
    public ulong FirstJobId { get; init; }

    /// <summary>The numbers of jobs on the engine's loop.</summary>
    public JobNumbers Numbers { get; init; } = JobNumbers.All;

    /// <summary>Keeps a record of each job.</summary>
    public IJobLedger Ledger { get; init; } = NoLedger.Instance;

    /// <summary>Keeps jobs that kill slaves.</summary>
    public IQuarantine Quarantine { get; init; } = NoQuarantine.Instance;

    /// <summary>Requests are kept during their last run too, because the quarantine may need them.</summary>
    public bool KeepsRequests => Quarantine != NoQuarantine.Instance;
}
