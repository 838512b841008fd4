namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>info</c> of an app, or of the node.</summary>
internal sealed record InfoRequest(string? App = null);
