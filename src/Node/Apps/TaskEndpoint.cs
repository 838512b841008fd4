namespace Cocaine.Fast.Node.Apps;

/// <summary>An endpoint that a task of an app listens on.</summary>
/// <param name="Task">The task's name.</param>
/// <param name="Endpoint">The endpoint as clients write it: <c>tcp://127.0.0.1:9100</c>, <c>ipc:///path</c>.</param>
public sealed record TaskEndpoint(string Task, string Endpoint);
