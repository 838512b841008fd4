namespace Cocaine.Fast.Cluster.Members;

/// <summary>The place of an app on a node, for clients that ask a locator.</summary>
/// <param name="App">The app.</param>
/// <param name="Slots">How many jobs may run at once there.</param>
/// <param name="Tasks">The tasks that clients of the protocol reach over TCP.</param>
internal sealed record AppPlace(string App, long Slots, IReadOnlyList<TaskPlace> Tasks);

/// <summary>An endpoint of a task.</summary>
/// <param name="Task">The task.</param>
/// <param name="At">The address and the port; the address may mean all addresses of the node.</param>
/// <param name="Serves">Whether clients can call the task's events there.</param>
internal sealed record TaskPlace(string Task, string At, bool Serves);
