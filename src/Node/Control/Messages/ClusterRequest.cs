namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>cluster</c>: <c>info</c>, <c>join</c>, <c>leave</c>, <c>remove</c>, <c>drain</c>, <c>undrain</c>.</summary>
internal sealed record ClusterRequest(string Action, string? Engine = null, bool TakeOver = false, string? Node = null);
