namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>rollout</c>: <c>show</c>, <c>stop</c>, <c>back</c>, <c>go</c>.</summary>
internal sealed record RolloutRequest(string App, string Action = "show");
