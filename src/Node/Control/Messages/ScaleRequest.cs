namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>scale</c>.</summary>
internal sealed record ScaleRequest(string App, int? Minimum = null, int? Limit = null);
