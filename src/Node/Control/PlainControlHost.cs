using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Control;

/// <summary>The control host of a node that keeps no apps: commands have effect only as long as the node lives.</summary>
public sealed class PlainControlHost(CocaineNode node) : IControlHost
{
    /// <inheritdoc/>
    public Task<RunningApp> CreateAsync(ManifestText manifest, CancellationToken cancellation) =>
        node.AddAsync(Read(manifest), cancellation);

    /// <inheritdoc/>
    public Task<ReplaceOutcome> ReplaceAsync(ManifestText manifest, bool force, CancellationToken cancellation) =>
        node.ReplaceAsync(Read(manifest), force, cancellation);

    /// <inheritdoc/>
    public Task<ReplaceOutcome> RestartAsync(string name, CancellationToken cancellation) => node.RestartAsync(name, cancellation);

    /// <inheritdoc/>
    public Task DeleteAsync(string name, TimeSpan drainTimeout, CancellationToken cancellation) =>
        node.DeleteAsync(name, drainTimeout, cancellation);

    /// <inheritdoc/>
    public Task PauseAsync(string name, CancellationToken cancellation) => node.PauseAsync(name);

    /// <inheritdoc/>
    public Task ResumeAsync(string name, CancellationToken cancellation) => node.ResumeAsync(name);

    /// <summary>Reads a manifest from the control service.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes.</exception>
    public static AppManifest Read(ManifestText manifest)
    {
        ArgumentNullException.ThrowIfNull(manifest);
        ManifestResult result = ManifestReader.Read(manifest.Utf8.Span, manifest.FilePath, checkFiles: true);
        return result.Manifest ?? throw new ManifestException(result.Problems);
    }
}
