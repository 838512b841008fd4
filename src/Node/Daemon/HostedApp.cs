using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>An app that a daemon runs: what it was made from.</summary>
/// <param name="Text">Its manifest as it was given.</param>
/// <param name="Manifest">The manifest with the defaults of the node.</param>
/// <param name="IsFixed">It is there because the config names it, and changes with its file only.</param>
internal sealed record HostedApp(ManifestText Text, AppManifest Manifest, bool IsFixed)
{
    /// <summary>Where it comes from, for people.</summary>
    public string Origin => IsFixed ? $"the config's {Text.FilePath}" : Text.FilePath;

    /// <summary>True when another manifest would run it no differently.</summary>
    public bool IsSameAs(HostedApp other) => Text.FilePath == other.Text.FilePath && Text.Utf8.Span.SequenceEqual(other.Text.Utf8.Span)
        && EngineOf(Manifest) == EngineOf(other.Manifest); // the text is the same, but the node's defaults may differ

    /// <summary>Reads a manifest.</summary>
    /// <exception cref="ManifestException">It has mistakes.</exception>
    public static HostedApp Read(ManifestText text, EngineDefaults defaults, bool isFixed)
    {
        ManifestResult result = ManifestReader.Read(text.Utf8.Span, text.FilePath, checkFiles: true, defaults: defaults);
        return new HostedApp(text, result.Manifest ?? throw new ManifestException(result.Problems), isFixed);
    }

    private static string EngineOf(AppManifest manifest) => JsonSerializer.Serialize(manifest.Engine);
}
