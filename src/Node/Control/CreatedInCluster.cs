namespace Cocaine.Fast.Node.Control;

/// <summary>An app that was created for all nodes of a cluster.</summary>
/// <param name="Name">The app.</param>
/// <param name="Version">Its version.</param>
/// <param name="Reason">Why it does not run on this node; null when it does.</param>
/// <param name="IsElsewhere">Whether the cluster runs it on other nodes only.</param>
/// <param name="RunOn">The tasks that make jobs by themselves, each with <c>one</c> or <c>all</c>; null when there are none.</param>
internal sealed record CreatedInCluster(
    string Name, int Version, string? Reason, bool IsElsewhere, IReadOnlyDictionary<string, string>? RunOn);
