namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>delete</c>; times in seconds.</summary>
internal sealed record DeleteRequest(string App, double DrainTimeout = 30);
