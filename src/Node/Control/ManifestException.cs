using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Node.Control;

/// <summary>A manifest has mistakes; the message has a line for each.</summary>
public sealed class ManifestException : Exception
{
    /// <summary>Makes an exception from the mistakes of a manifest.</summary>
    public ManifestException(IReadOnlyList<ManifestProblem> problems)
        : base(string.Join('\n', problems)) => Problems = problems;

    /// <summary>All mistakes and warnings, in the order of the file.</summary>
    public IReadOnlyList<ManifestProblem> Problems { get; }
}
