namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer of methods that only report that they are done.</summary>
internal sealed record DoneAnswer(string App);
