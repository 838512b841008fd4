using System.Net;

namespace Cocaine.Fast.Cluster.Peers;

/// <summary>This node, as it shows itself to its peers.</summary>
/// <param name="Cluster">The cluster's id.</param>
/// <param name="Node">The node's name.</param>
/// <param name="Incarnation">The number of the node's present life; greater than all before it.</param>
/// <param name="Secret">The secret that all nodes of the cluster have, 32 bytes.</param>
internal sealed record PeerIdentity(string Cluster, string Node, ulong Incarnation, byte[] Secret);

/// <summary>Another node, and where it takes links.</summary>
/// <param name="Node">The node's name.</param>
/// <param name="At">The peer port: an address, or the name of a host.</param>
internal sealed record PeerAddress(string Node, EndPoint At);

/// <summary>Knows the nodes that an app's jobs may go to. Asked on loops: it answers from a snapshot and never waits.</summary>
internal interface IPeerList
{
    /// <summary>The other nodes that run the app.</summary>
    IReadOnlyList<PeerAddress> Of(string app);
}
