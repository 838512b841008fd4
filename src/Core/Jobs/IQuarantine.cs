namespace Cocaine.Fast.Core.Jobs;

/// <summary>Keeps jobs that have killed each slave they ran on, so that people can look at the jobs and run them again.</summary>
internal interface IQuarantine
{
    /// <summary>
    /// A job has killed its last slave, and fails with 502 after this call. The call comes on the loop, and the kept parts are copied
    /// during it. The method must not throw.
    /// </summary>
    void Keep(in QuarantinedJob job);
}

/// <summary>A job that has killed retry-limit + 1 slaves. Valid during the call of <see cref="IQuarantine.Keep"/>.</summary>
internal readonly ref struct QuarantinedJob
{
    /// <summary>The job's number within its app.</summary>
    public required ulong JobId { get; init; }

    /// <summary>The task that made the job.</summary>
    public required string Task { get; init; }

    /// <summary>The method that was called, UTF-8.</summary>
    public required ReadOnlySpan<byte> Event { get; init; }

    /// <summary>The caller's wishes.</summary>
    public required JobPolicy Policy { get; init; }

    /// <summary>
    /// The invoke's headers as an encoded array, as workers get them, but without secrets; empty for none, or when they were not kept.
    /// </summary>
    public required ReadOnlySpan<byte> Headers { get; init; }

    /// <summary>The chunks of the request; walk them with foreach. Only a part of them when <see cref="IsWhole"/> is false.</summary>
    public required RequestLog Request { get; init; }

    /// <summary>The request came to its end, and all of it was kept: the job can run again.</summary>
    public required bool IsWhole { get; init; }

    /// <summary>The slaves that died of the job, in the order of their deaths.</summary>
    public required IReadOnlyList<SlaveDeath> Deaths { get; init; }
}

/// <summary>How a slave died while it ran a job.</summary>
/// <param name="SlaveId">The slave's name in logs.</param>
/// <param name="Cause">Why the slave died, for people: "signal 11".</param>
/// <param name="LastLines">The last lines that the slave printed, oldest first; none for a thread.</param>
internal sealed record SlaveDeath(string SlaveId, string Cause, IReadOnlyList<string> LastLines);

/// <summary>Keeps no job: for an engine whose node has no quarantine.</summary>
internal sealed class NoQuarantine : IQuarantine
{
    public static readonly NoQuarantine Instance = new();

    private NoQuarantine()
    {
    }

    public void Keep(in QuarantinedJob job)
    {
    }
}
