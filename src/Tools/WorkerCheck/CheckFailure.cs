namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The worker did not do what the contract says.</summary>
internal sealed class CheckFailure(string problem) : Exception(problem);
