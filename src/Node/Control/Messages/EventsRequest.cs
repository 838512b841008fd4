namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>events</c>.</summary>
internal sealed record EventsRequest(string? App = null, bool Follow = false);
