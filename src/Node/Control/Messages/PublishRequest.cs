namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>publish</c>.</summary>
internal sealed record PublishRequest(string App, bool Force = false);
