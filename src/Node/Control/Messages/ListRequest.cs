namespace Cocaine.Fast.Node.Control.Messages;

/// <summary><c>list</c>: the apps of this node, or those of its cluster on all nodes.</summary>
internal sealed record ListRequest(bool? Cluster = null);
