namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>stats</c>: the figures of all apps.</summary>
/// <param name="Since">The number of an earlier answer: counts are those since then, when the node still has it.</param>
internal sealed record StatsRequest(int Since = 0);
