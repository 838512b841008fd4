namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>quarantine</c>: <c>list</c>, <c>show</c>, <c>replay</c>, <c>drop</c>.</summary>
internal sealed record QuarantineRequest(string Action, string? App = null, string? Id = null);
