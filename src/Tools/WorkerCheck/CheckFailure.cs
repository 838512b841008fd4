namespace Cocaine.Fast.Tools.WorkerCheck;

/// <summary>The worker broke the contract.</summary>
internal sealed class CheckFailure(string problem) : Exception(problem);
