using Cocaine.Fast.Cluster.Rollouts;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The word of this node about an app of its cluster.</summary>
/// <param name="App">The app.</param>
/// <param name="Status">Its state here.</param>
/// <param name="IsRolling">Whether another version is being rolled out.</param>
internal sealed record AppWord(string App, AppStatus Status, bool IsRolling);
