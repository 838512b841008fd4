using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers;

/// <summary>
/// Reads manifests, with the drivers of this build: checks all of a file and reports every mistake at once. The keys are in
/// docs/manifest.md.
/// </summary>
public static class ManifestReader
{
    /// <summary>
    /// Reads a file. With <paramref name="checkFiles"/>, code that is not there is a mistake too. <paramref name="customDrivers"/> are
    /// types of an embedding program's own drivers: their keys are taken as they are, for the drivers to check. Keys of <c>engine</c> that
    /// the manifest leaves out are those of <paramref name="defaults"/>.
    /// </summary>
    public static ManifestResult ReadFile(
        string path, bool checkFiles = false, IEnumerable<string>? customDrivers = null, EngineDefaults? defaults = null) =>
        ManifestParser.ReadFile(path, DriverRegistry.Table, checkFiles, customDrivers, defaults);

    /// <summary>
    /// Reads a manifest from memory; <paramref name="filePath"/> names it in messages and is where its relative paths start from.
    /// </summary>
    public static ManifestResult Read(
        ReadOnlySpan<byte> utf8, string filePath, bool checkFiles = false, IEnumerable<string>? customDrivers = null,
        EngineDefaults? defaults = null) =>
        ManifestParser.Read(utf8, filePath, DriverRegistry.Table, checkFiles, customDrivers, defaults);
}
