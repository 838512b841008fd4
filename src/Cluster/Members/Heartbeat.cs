namespace Cocaine.Fast.Cluster.Members;

/// <summary>A sign of life, which every node hears.</summary>
/// <param name="Uuid">The node.</param>
/// <param name="Incarnation">The start of the node.</param>
/// <param name="Apps">How many apps run on it.</param>
/// <param name="IsLast">Whether the node stops now: nobody needs to wait for its silence.</param>
internal sealed record Heartbeat(string Uuid, long Incarnation, int Apps, bool IsLast = false);
