namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The outcome of a case.</summary>
public enum CheckOutcome
{
    /// <summary>The worker kept the contract.</summary>
    Passed,

    /// <summary>The worker broke the contract.</summary>
    Failed,

    /// <summary>The case does not apply to this worker, or could not be tried.</summary>
    Skipped,
}

/// <summary>One case on one pipe.</summary>
/// <param name="Pipe">Socket or shared memory.</param>
/// <param name="Case">The case's name.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Problem">The fault, or the reason for skipping; empty when the case passed.</param>
/// <param name="Section">The section of docs/worker-protocol.md that asks for it.</param>
public sealed record CheckRow(string Pipe, string Case, CheckOutcome Outcome, string Problem, string Section);
