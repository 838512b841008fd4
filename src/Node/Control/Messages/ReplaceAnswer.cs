namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer to <c>replace</c>.</summary>
internal sealed record ReplaceAnswer(string App, int FromVersion, int ToVersion, bool Replaced, string? Reason = null);
