namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>logs</c>.</summary>
internal sealed record LogsRequest(string App, bool Follow = false);
