namespace Cocaine.Fast.Core.Manifest;

/// <summary>
/// Reads manifests: checks the whole file and reports every mistake at once. The caller gives the table of the drivers that tasks may name.
/// </summary>
internal static class ManifestParser
{
    private const string Kind = "manifest";

    /// <summary>Reads a file.</summary>
    public static ManifestResult ReadFile(
        string path, DriverTable drivers, bool checkFiles, IEnumerable<string>? customDrivers, EngineDefaults? defaults)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return JsonText.ReadFile(path, Kind, out string problem) is { } bytes
            ? Read(bytes, path, drivers, checkFiles, customDrivers, defaults) : Unreadable(path, problem);
    }

    /// <summary>Reads a manifest from memory.</summary>
    /// <param name="utf8">The text.</param>
    /// <param name="filePath">The file's name in messages; relative paths start from its folder.</param>
    /// <param name="drivers">The drivers that the manifest may name.</param>
    /// <param name="checkFiles">Missing code is a mistake too.</param>
    /// <param name="customDrivers">Further drivers, whose keys are taken without a check.</param>
    /// <param name="defaults">Keys of <c>engine</c> that the manifest leaves out.</param>
    public static ManifestResult Read(
        ReadOnlySpan<byte> utf8, string filePath, DriverTable drivers, bool checkFiles, IEnumerable<string>? customDrivers,
        EngineDefaults? defaults)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        if (utf8.Length > JsonText.MaxFileBytes)
        {
            return Unreadable(filePath, $"too large for a {Kind}: more than {JsonText.MaxFileBytes} bytes");
        }

        utf8 = JsonText.WithoutMark(utf8);
        ProblemList problems = new(filePath, utf8.ToArray());
        AppReader reader = new(problems, filePath, checkFiles, drivers, customDrivers is null ? [] : [.. customDrivers], defaults);
        JsonTree? root = JsonText.Parse(utf8, problems, Kind);
        AppManifest? manifest = root is null ? null : reader.Read(root) with { TextSha256 = AppManifest.DigestOf(utf8) };
        (int line, int column) = problems.Position(root?["name"]?.Offset ?? 0);
        return new ManifestResult(problems.HasErrors ? null : manifest, problems.Sorted(), line, column);
    }

    private static ManifestResult Unreadable(string path, string message) => new(null, [ManifestProblem.OfFile(path, message)]);
}
