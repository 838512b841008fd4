using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>
/// Called by the control service when apps come, change, are paused or go: a daemon keeps that in its state folder, a node that was
/// merely run does not. The rest (scale, info, logs, events) the service does itself.
/// </summary>
public interface IControlHost
{
    /// <summary>Apps that should run and could not be started, in the state <c>failed</c> and with their reasons.</summary>
    IReadOnlyList<AppSummary> Failed => [];

    /// <summary>Reads the manifest, starts the app, and keeps it. Returns once its endpoints listen.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes: all of them are in it.</exception>
    /// <exception cref="NodeException">It cannot be started, or runs already.</exception>
    Task<RunningApp> CreateAsync(ManifestText manifest, CancellationToken cancellation);

    /// <summary>
    /// Reads the manifest and replaces the running version by it. It is kept only when the new version came up.
    /// </summary>
    /// <param name="manifest">The new version.</param>
    /// <param name="force">Also when its version is not higher.</param>
    /// <param name="cancellation">Gives up: the old version goes on.</param>
    /// <exception cref="ManifestException">The manifest has mistakes: all of them are in it.</exception>
    /// <exception cref="NodeException">No such app runs, or the version is not higher.</exception>
    Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force, CancellationToken cancellation);

    /// <summary>
    /// Replaces an app by itself, so that its code is loaded anew, and loses no job: see <see cref="CocaineNode.RestartAsync"/>. An app
    /// that could not be started is started.
    /// </summary>
    /// <exception cref="NodeException">There is no such app, or it is being replaced or deleted.</exception>
    Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation);

    /// <summary>Forgets an app and ends it: see <see cref="CocaineNode.DeleteAsync"/>.</summary>
    /// <exception cref="NodeException">No such app runs.</exception>
    Task DeleteAsync(string name, TimeSpan drainTimeout, CancellationToken cancellation);

    /// <summary>Refuses new jobs of an app until it is resumed: see <see cref="CocaineNode.PauseAsync"/>.</summary>
    /// <exception cref="NodeException">No such app runs, or it cannot be kept that it is paused.</exception>
    Task PauseAsync(string name, CancellationToken cancellation);

    /// <summary>Takes jobs again.</summary>
    /// <exception cref="NodeException">No such app runs, or it cannot be kept that it is not paused.</exception>
    Task ResumeAsync(string name, CancellationToken cancellation);
}
