namespace Cocaine.Fast.Core.Jobs;

/// <summary>How a job ended, as its record says. The numbers are those of the ledger's file.</summary>
internal enum JobOutcome
{
    /// <summary>The job has not ended: it waits or runs.</summary>
    Open = 0,

    /// <summary>The job was answered whole.</summary>
    Done = 1,

    /// <summary>The job was answered with an error.</summary>
    Failed = 2,

    /// <summary>The job was never accepted: the queue was full, or the app was broken or draining.</summary>
    Refused = 3,

    /// <summary>The job's caller went away or gave up.</summary>
    Cancelled = 4,
}

/// <summary>
/// Keeps a record of each job for later questions about it. Each call is a few stores: it allocates nothing, takes no lock
/// and cannot fail. Called on the engine's loop; times are the loop's monotonic ns.
/// </summary>
internal interface IJobLedger
{
    /// <summary>The greatest id in the ledger, including those of earlier nodes; 0 for none. New ids are greater.</summary>
    ulong LastId { get; }

    /// <summary>A job came, and got its id.</summary>
    void Arrived(ulong id, long nowNs, ReadOnlySpan<byte> task, ReadOnlySpan<byte> name);

    /// <summary>The job waits in the queue, for the first time or again.</summary>
    void Queued(ulong id, long nowNs);

    /// <summary>The job, which still waits, stands in the ring of a slave ahead of its turn.</summary>
    void Placed(ulong id, uint slave);

    /// <summary>The job's slave has not begun it and will not: the job has begun so many runs, and waits again.</summary>
    void TakenBack(ulong id, int runs);

    /// <summary>
    /// A slave has begun the job; <paramref name="run"/> counts the job's runs from 1, and <paramref name="stoodNs"/> is how long the job
    /// stood in the slave's ring ahead of its turn, or below 0 for a job that did not.
    /// </summary>
    void Dispatched(ulong id, long nowNs, uint slave, int run, long stoodNs);

    /// <summary>Another node takes the job; <paramref name="run"/> counts the job's runs from 1.</summary>
    void Forwarded(ulong id, long nowNs, int run, ReadOnlySpan<byte> node);

    /// <summary>The job's answer has begun.</summary>
    void FirstByte(ulong id, long nowNs);

    /// <summary>The job is over. Category, code and text are those of the error; 0 and empty for a job that is done.</summary>
    void Ended(ulong id, long nowNs, JobOutcome outcome, int category, int code, ReadOnlySpan<byte> text);
}

/// <summary>Keeps no record.</summary>
internal sealed class NoLedger : IJobLedger
{
    public static readonly NoLedger Instance = new();

    public ulong LastId => 0;

    public void Arrived(ulong id, long nowNs, ReadOnlySpan<byte> task, ReadOnlySpan<byte> name)
    {
    }

    public void Queued(ulong id, long nowNs)
    {
    }

    public void Placed(ulong id, uint slave)
    {
    }

    public void TakenBack(ulong id, int runs)
    {
    }

    public void Dispatched(ulong id, long nowNs, uint slave, int run, long stoodNs)
    {
    }

    public void Forwarded(ulong id, long nowNs, int run, ReadOnlySpan<byte> node)
    {
    }

    public void FirstByte(ulong id, long nowNs)
    {
    }

    public void Ended(ulong id, long nowNs, JobOutcome outcome, int category, int code, ReadOnlySpan<byte> text)
    {
    }
}
