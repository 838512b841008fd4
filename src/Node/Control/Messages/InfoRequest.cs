namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>info</c> of an app, or of the node; with <c>cluster</c> of an app of the cluster on all nodes.</summary>
internal sealed record InfoRequest(string? App = null, bool? Cluster = null);
