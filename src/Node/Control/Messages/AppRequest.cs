namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>pause</c>, <c>resume</c>, <c>restart</c>.</summary>
internal sealed record AppRequest(string App);
