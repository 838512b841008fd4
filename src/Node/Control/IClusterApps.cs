using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>The control service calls it when an app is to be one of the node's cluster.</summary>
internal interface IClusterApps
{
    /// <summary>Creates an app for all nodes.</summary>
    /// <param name="manifest">The manifest.</param>
    /// <exception cref="ManifestException">The manifest has mistakes; the exception lists all of them.</exception>
    /// <exception cref="NodeException">The cluster has the app already, or its engine cannot be reached.</exception>
    Task<CreatedInCluster> CreateAsync(ManifestText manifest);

    /// <summary>Makes an app of this node alone the cluster's.</summary>
    /// <param name="name">The app.</param>
    /// <param name="force">Also when the cluster has an app of this name: it is the next version of that one.</param>
    /// <exception cref="NodeException">There is no such app, the config names it, or the engine cannot be reached.</exception>
    Task<CreatedInCluster> PublishAsync(string name, bool force);
}
