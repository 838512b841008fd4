namespace Cocaine.Fast.Node.Control.Messages;

/// <summary>The answer to <c>replace</c>; with <c>rollout</c> the version comes to the nodes of a cluster from now on.</summary>
internal sealed record ReplaceAnswer(
    string App, int FromVersion, int ToVersion, bool Replaced, string? Reason = null, bool Rollout = false);
