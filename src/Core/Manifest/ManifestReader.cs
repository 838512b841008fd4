namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads manifests: checks all of a file and reports every mistake at once. The keys are in docs/manifest.md.</summary>
public static class ManifestReader
{
    private const string Kind = "manifest";

    /// <summary>
    /// Reads a file. With <paramref name="checkFiles"/>, code that is not there is a mistake too. <paramref name="customDrivers"/> are
    /// types of an embedding program's own drivers: their keys are taken as they are, for the drivers to check. Keys of <c>engine</c> that
    /// the manifest leaves out are those of <paramref name="defaults"/>.
    /// </summary>
    public static ManifestResult ReadFile(
        string path, bool checkFiles = false, IEnumerable<string>? customDrivers = null, EngineDefaults? defaults = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return JsonText.ReadFile(path, Kind, out string problem) is { } bytes
            ? Read(bytes, path, checkFiles, customDrivers, defaults) : Unreadable(path, problem);
    }

    /// <summary>
    /// Reads a manifest from memory; <paramref name="filePath"/> names it in messages and is where its relative paths start from.
    /// </summary>
    public static ManifestResult Read(
        ReadOnlySpan<byte> utf8, string filePath, bool checkFiles = false, IEnumerable<string>? customDrivers = null,
        EngineDefaults? defaults = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        if (utf8.Length > JsonText.MaxFileBytes)
        {
            return Unreadable(filePath, $"too large for a {Kind}: more than {JsonText.MaxFileBytes} bytes");
        }

        utf8 = JsonText.WithoutMark(utf8);
        ProblemList problems = new(filePath, utf8.ToArray());
        AppReader reader = new(problems, filePath, checkFiles, customDrivers is null ? [] : [.. customDrivers], defaults);
        JsonTree? root = JsonText.Parse(utf8, problems, Kind);
        AppManifest? manifest = root is null ? null : reader.Read(root) with { TextSha256 = AppManifest.DigestOf(utf8) };
        (int line, int column) = problems.Position(root?["name"]?.Offset ?? 0);
        return new ManifestResult(problems.HasErrors ? null : manifest, problems.Sorted(), line, column);
    }

    private static ManifestResult Unreadable(string path, string message) => new(null, [ManifestProblem.OfFile(path, message)]);
}
