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

    /// <summary>The pipes to check on, of <see cref="WorkerChecker.Socket"/> and <see cref="WorkerChecker.SharedMemory"/>.</summary>
    public IReadOnlyList<string> Pipes { get; init; } = [WorkerChecker.Socket, WorkerChecker.SharedMemory];
}

/// <summary>How a case ended.</summary>
public enum CheckOutcome
{
    /// <summary>The worker did what the contract says.</summary>
    Passed,

    /// <summary>It did not.</summary>
    Failed,

    /// <summary>It has nothing to do with this worker, or could not be tried.</summary>
    Skipped,
}

/// <summary>One case on one pipe.</summary>
/// <param name="Pipe">Socket or shared memory.</param>
/// <param name="Case">The case's name.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Problem">The fault, or the reason for skipping; empty when it passed.</param>
/// <param name="Section">The section of docs/worker-protocol.md that asks for it.</param>
public sealed record CheckRow(string Pipe, string Case, CheckOutcome Outcome, string Problem, string Section);

/// <summary>The worker did not do what the contract says.</summary>
internal sealed class CheckFailure(string problem) : Exception(problem);
