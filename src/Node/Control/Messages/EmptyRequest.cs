namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>metrics</c>, <c>version</c>.</summary>
internal sealed record EmptyRequest;
