using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// The control service calls it when apps come, change, are paused or go. A daemon keeps such changes in its state folder; a node without a
/// daemon does not. The service handles the rest (scale, info, logs, events) itself.
/// </summary>
public interface IControlHost
{
    /// <summary>Apps that should run and could not be started, in the state <c>failed</c> and with their reasons.</summary>
    IReadOnlyList<AppSummary> Failed => [];

    /// <summary>The node as a member of a cluster; null for a node that keeps nothing, and so joins none.</summary>
    internal IClusterControl? Cluster => null;

    /// <summary>The apps of the node's cluster; null when the node belongs to none.</summary>
    internal IClusterApps? ClusterApps => null;

    /// <summary>Reads the manifest, starts the app, and keeps it. Returns once its endpoints listen.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes; the exception lists all of them.</exception>
    /// <exception cref="NodeException">The app cannot be started, or runs already.</exception>
    Task<RunningApp> CreateAsync(ManifestText manifest, CancellationToken cancellation);

    /// <summary>
    /// Reads the manifest and replaces the running version by it. The manifest is kept only when the new version came up.
    /// </summary>
    /// <param name="manifest">The new version.</param>
    /// <param name="force">Replace also when the version is not higher.</param>
    /// <param name="cancellation">Gives up: the old version continues.</param>
    /// <exception cref="ManifestException">The manifest has mistakes; the exception lists all of them.</exception>
    /// <exception cref="NodeException">No such app runs, or the version is not higher.</exception>
    Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force, CancellationToken cancellation);

    /// <summary>
    /// Replaces an app by itself, so that its code is loaded anew, and loses no job: see <see cref="CocaineNode.RestartAsync"/>. An app
    /// that could not be started before is started.
    /// </summary>
    /// <exception cref="NodeException">There is no such app, or it is being replaced or deleted.</exception>
    Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation);

    /// <summary>Forgets an app and ends it: see <see cref="CocaineNode.DeleteAsync"/>.</summary>
    /// <exception cref="NodeException">No such app runs.</exception>
    Task DeleteAsync(string name, TimeSpan drainTimeout, CancellationToken cancellation);

    /// <summary>Refuses new jobs of an app until it is resumed: see <see cref="CocaineNode.PauseAsync"/>.</summary>
    /// <exception cref="NodeException">No such app runs, or the pause cannot be kept.</exception>
    Task PauseAsync(string name, CancellationToken cancellation);

    /// <summary>Makes the app take jobs again.</summary>
    /// <exception cref="NodeException">No such app runs, or the end of the pause cannot be kept.</exception>
    Task ResumeAsync(string name, CancellationToken cancellation);
}
