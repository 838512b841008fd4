using System.Text.Json;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>An app that a daemon runs, with its source.</summary>
/// <param name="Text">The manifest as its user gave it.</param>
/// <param name="Manifest">The manifest with the defaults of the node.</param>
/// <param name="IsFixed">The app is there because the config names it, and changes only with its file.</param>
internal sealed record HostedApp(ManifestText Text, AppManifest Manifest, bool IsFixed)
{
    /// <summary>The app is there because the node's cluster has it.</summary>
    public bool IsOfCluster
    {
        get => Manifest.IsOfCluster;
        init => Manifest = Manifest with { IsOfCluster = value };
    }

    /// <summary>The generation in which the cluster's manifest was set; 0 for an app of this node alone.</summary>
    public long Made { get; init; }

    /// <summary>The app's origin, for people.</summary>
    public string Origin => IsFixed ? $"the config's {Text.FilePath}" : IsOfCluster ? $"the cluster's {Text.FilePath}" : Text.FilePath;

    /// <summary>True when the other one comes from the same place, and its manifest would run the app in the same way.</summary>
    public bool IsSameAs(HostedApp other) => (IsFixed, IsOfCluster, Made) == (other.IsFixed, other.IsOfCluster, other.Made)
        && Text.FilePath == other.Text.FilePath && Text.Utf8.Span.SequenceEqual(other.Text.Utf8.Span)
        && EngineOf(Manifest) == EngineOf(other.Manifest); // the text is the same, but the node's defaults may differ

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="ManifestException">The manifest has mistakes.</exception>
    public static HostedApp Read(ManifestText text, NodeConfig config, bool isFixed)
    {
        ManifestResult result = ManifestReader.Read(text.Utf8.Span, text.FilePath, checkFiles: true, defaults: config.EngineDefaults);
        AppManifest manifest = result.Manifest ?? throw new ManifestException(result.Problems);
        IReadOnlyList<ManifestProblem> lacks =
        [
            .. TlsNeeds.Problems(text.Utf8.Span, text.FilePath, manifest, config.Security.Tls),
            .. NetworkNeeds.Problems(text.Utf8.Span, text.FilePath, manifest, config.Security),
        ];
        return lacks.Count == 0 ? new HostedApp(text, manifest, isFixed) : throw new ManifestException(lacks);
    }

    private static string EngineOf(AppManifest manifest) => JsonSerializer.Serialize(manifest.Engine);
}
