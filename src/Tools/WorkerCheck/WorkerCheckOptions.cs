namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The cases to check, and the patience.</summary>
public sealed record WorkerCheckOptions
{
    /// <summary>
    /// The command line of a worker. The node's own words (<c>--app NAME --uuid …</c>) stand where <c>{}</c> is, or at the end.
    /// </summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>Variables for the worker, besides the few that a node gives.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>How long an answer, a start or an end may take. Messages of 64 MiB get six times as much.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Longest time between two heartbeats: 5 s are asked for, and some slack. 20 s is what the oldest workers need.</summary>
    public TimeSpan LongestSilence { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>Names of the cases to run; empty = all.</summary>
    public IReadOnlyList<string> Cases { get; init; } = [];

    /// <summary>Names of the pipes to check on; empty = all.</summary>
    public IReadOnlyList<string> Pipes { get; init; } = [];
}
