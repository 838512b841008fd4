using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Reads manifests: checks all of a file and reports every mistake at once. The keys are in docs/manifest.md.</summary>
public static class ManifestReader
{
    /// <summary>Largest file: a manifest has some kilobytes.</summary>
    private const int MaxFileBytes = 1 << 20;

    /// <summary>
    /// Reads a file. With <paramref name="checkFiles"/>, code that is not there is a mistake too. <paramref name="customDrivers"/> are
    /// types of an embedding program's own drivers: their keys are taken as they are, for the drivers to check.
    /// </summary>
    public static ManifestResult ReadFile(string path, bool checkFiles = false, IEnumerable<string>? customDrivers = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        try
        {
            if (Directory.Exists(path))
            {
                return Unreadable(path, "a folder is no manifest");
            }

            // By reading, not by its length: a pipe has none, and /dev/zero no end.
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            byte[] bytes = new byte[MaxFileBytes + 1];
            return Read(bytes.AsSpan(0, file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)), path, checkFiles, customDrivers);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return Unreadable(path, failure.Message);
        }
    }

    /// <summary>
    /// Reads a manifest from memory; <paramref name="filePath"/> names it in messages and is where its relative paths start from.
    /// </summary>
    public static ManifestResult Read(
        ReadOnlySpan<byte> utf8, string filePath, bool checkFiles = false, IEnumerable<string>? customDrivers = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        if (utf8.Length > MaxFileBytes)
        {
            return Unreadable(filePath, $"too large for a manifest: more than {MaxFileBytes} bytes");
        }

        ReadOnlySpan<byte> mark = [0xef, 0xbb, 0xbf];
        if (utf8.StartsWith(mark))
        {
            utf8 = utf8[mark.Length..];
        }

        ProblemList problems = new(filePath, utf8.ToArray());
        AppReader reader = new(problems, filePath, checkFiles, customDrivers is null ? [] : [.. customDrivers]);
        AppManifest? manifest = Parse(utf8, problems) is { } root ? reader.Read(root) : null;
        return new ManifestResult(problems.HasErrors ? null : manifest, problems.Sorted());
    }

    private static ManifestResult Unreadable(string path, string message) => new(null, [new ManifestProblem(path, 1, 1, "$", message)]);

    private static JsonTree? Parse(ReadOnlySpan<byte> utf8, ProblemList problems)
    {
        if (!Utf8.IsValid(utf8))
        {
            problems.Add(OffsetOfInvalid(utf8), "$", "not UTF-8");
            return null;
        }

        try
        {
            JsonTree root = JsonTree.Parse(utf8);
            if (root.Kind == JsonValueKind.Object)
            {
                return root;
            }

            problems.Add(root.Offset, "$", $"a manifest is an object, found {root.KindName}");
        }
        catch (JsonTextException mistake)
        {
            problems.Add(mistake.Offset, "$", $"not JSON: {mistake.Message}");
        }
        catch (JsonException mistake)
        {
            problems.Add(OffsetOf(utf8, mistake), "$", $"not JSON: {JsonPath.OnOneLine(mistake.Message.Split(" LineNumber")[0])}");
        }

        return null;
    }

    private static int OffsetOfInvalid(ReadOnlySpan<byte> utf8)
    {
        char[] text = new char[utf8.Length];
        OperationStatus status = Utf8.ToUtf16(utf8, text, out int valid, out _, replaceInvalidSequences: false);
        return status == OperationStatus.Done ? 0 : valid;
    }

    private static long OffsetOf(ReadOnlySpan<byte> utf8, JsonException mistake)
    {
        int offset = 0;
        for (long line = mistake.LineNumber ?? 0; line > 0; line--)
        {
            int end = utf8[offset..].IndexOf((byte)'\n');
            if (end < 0)
            {
                break;
            }

            offset += end + 1;
        }

        return offset + (mistake.BytePositionInLine ?? 0);
    }
}
