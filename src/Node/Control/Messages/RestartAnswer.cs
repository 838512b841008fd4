namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer to <c>restart</c>.</summary>
internal sealed record RestartAnswer(string App, int Version, bool Restarted, string? Reason = null, string? Note = null);
