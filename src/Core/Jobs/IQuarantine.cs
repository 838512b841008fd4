namespace Cocaine.Fast.Core.Jobs;

/// <summary>Keeps jobs that have killed every slave they were given, so that people can look at them and run them again.</summary>
internal interface IQuarantine
{
    /// <summary>
    /// A job has killed its last slave and fails with 502 after this. Called on the loop; the kept parts are copied during the call.
    /// It must not throw.
    /// </summary>
    void Keep(in QuarantinedJob job);
}

/// <summary>A job that has killed retry-limit + 1 slaves. Valid during the call that hands it over.</summary>
internal readonly ref struct QuarantinedJob
{
    /// <summary>The job's number within its app.</summary>
    public required ulong JobId { get; init; }

    /// <summary>The task it came through.</summary>
    public required string Task { get; init; }

    /// <summary>The method that was called, UTF-8.</summary>
    public required ReadOnlySpan<byte> Event { get; init; }

    /// <summary>The wishes of its caller.</summary>
    public required JobPolicy Policy { get; init; }

    /// <summary>The invoke's headers as an encoded array, as workers get them; empty for none, or when they were not kept.</summary>
    public required ReadOnlySpan<byte> Headers { get; init; }

    /// <summary>The chunks of the request; walk them with foreach. Part of them only, when <see cref="IsWhole"/> is false.</summary>
    public required RequestLog Request { get; init; }

    /// <summary>The request came to its end, and all of it was kept: it can be run again.</summary>
    public required bool IsWhole { get; init; }

    /// <summary>The slaves that died of it, in their order.</summary>
    public required IReadOnlyList<SlaveDeath> Deaths { get; init; }
}

/// <summary>How a slave died while it ran a job.</summary>
/// <param name="SlaveId">The slave's name in logs.</param>
/// <param name="Cause">Why, for people: "signal 11".</param>
/// <param name="LastLines">The last lines that it printed, oldest first; none for a thread.</param>
internal sealed record SlaveDeath(string SlaveId, string Cause, IReadOnlyList<string> LastLines);

/// <summary>Keeps nothing: for an engine whose node has no place for it.</summary>
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
