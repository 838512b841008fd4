namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>list</c>, <c>version</c>.</summary>
internal sealed record EmptyRequest;
