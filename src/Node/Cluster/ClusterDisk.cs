using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The memory of a node about its cluster.</summary>
/// <param name="Folder">The identities, the engine and the members.</param>
/// <param name="Records">The records of the apps.</param>
internal sealed record ClusterDisk(ClusterFolder Folder, RecordStore Records);
