namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer where there is nothing to say but that it is done.</summary>
internal sealed record DoneAnswer(string App);
