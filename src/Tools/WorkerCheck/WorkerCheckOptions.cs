namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The cases to check, and the times to wait.</summary>
public sealed record WorkerCheckOptions
{
    /// <summary>
    /// The command line of a worker. The node's own arguments (<c>--app NAME --uuid …</c>) replace <c>{}</c>, or stand at the end.
    /// </summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Variables for the worker, besides the few that a node gives.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>How long an answer, a start or an end may take. Messages of 64 MiB get six times as much.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longest time between two heartbeats: the protocol asks for 5 s, and this adds some slack. The oldest workers need 20 s.
    /// </summary>
    public TimeSpan LongestSilence { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Names of the cases to run; empty = all.</summary>
    public IReadOnlyList<string> Cases { get; init; } = [];

    /// <summary>Names of the pipes to check on; empty = all.</summary>
    public IReadOnlyList<string> Pipes { get; init; } = [];
}
