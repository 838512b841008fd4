using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers;

/// <summary>
/// Reads manifests with the drivers of this build: checks the whole file and reports every mistake at once. The keys are in
/// docs/manifest.md.
/// </summary>
public static class ManifestReader
{
    /// <summary>
    /// Reads a file. With <paramref name="checkFiles"/>, missing code is a mistake too. <paramref name="customDrivers"/> are types of an
    /// embedding program's own drivers: their keys are taken without a check, and the drivers check them. The values of
    /// <paramref name="defaults"/> hold for keys of <c>engine</c> that the manifest leaves out.
    /// </summary>
    public static ManifestResult ReadFile(
        string path, bool checkFiles = false, IEnumerable<string>? customDrivers = null, EngineDefaults? defaults = null) =>
        ManifestParser.ReadFile(path, DriverRegistry.Table, checkFiles, customDrivers, defaults);

    /// <summary>
    /// Reads a manifest from memory. <paramref name="filePath"/> names the file in messages, and relative paths start from its folder.
    /// </summary>
    public static ManifestResult Read(
        ReadOnlySpan<byte> utf8, string filePath, bool checkFiles = false, IEnumerable<string>? customDrivers = null,
        EngineDefaults? defaults = null) =>
        ManifestParser.Read(utf8, filePath, DriverRegistry.Table, checkFiles, customDrivers, defaults);
}
