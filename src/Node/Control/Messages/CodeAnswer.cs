namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer to <c>code</c>.</summary>
/// <param name="Next">The number of bytes that are there; all of them when the cluster has the code.</param>
internal sealed record CodeAnswer(long Next);
