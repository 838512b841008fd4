namespace Cocaine.Fast.Tools.WorkerCheck;

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
