using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The parts of <c>security.tls</c> that a door with TLS needs.</summary>
internal static class TlsNeeds
{
    /// <summary>The key of a task.</summary>
    public const string Key = "tls";

    /// <summary>The lack for a door; null when there is none.</summary>
    public static string? ProblemOf(DoorTls door, TlsConfig? tls) => door switch
    {
        DoorTls.Off => null,
        _ when tls is null => "the node's config has no certificate for it: security.tls",
        DoorTls.Mutual when tls.ClientCaFile is null => "the node's config has no CA of clients for it: security.tls.client-ca",
        _ => null,
    };

    /// <summary>The TLS of a task; off for a driver without the key.</summary>
    public static DoorTls Of(TaskManifest task) =>
        task.Keys.TryGetValue(Key, out object? value) && value is string text && Enum.TryParse(text, ignoreCase: true, out DoorTls tls)
            ? tls : DoorTls.Off;

    /// <summary>The tasks of a manifest whose TLS the node cannot give, each with its place in the text.</summary>
    public static IReadOnlyList<ManifestProblem> Problems(ReadOnlySpan<byte> utf8, string filePath, AppManifest manifest, TlsConfig? tls)
    {
        List<TaskManifest> lacking = [.. manifest.Tasks.Where(task => ProblemOf(Of(task), tls) is not null)];
        if (lacking.Count == 0)
        {
            return [];
        }

        utf8 = JsonText.WithoutMark(utf8);
        ProblemList problems = new(filePath, utf8.ToArray());
        JsonTree? tasks = JsonText.Parse(utf8, problems, "manifest")?["tasks"];
        foreach (TaskManifest task in lacking)
        {
            string at = JsonPath.Member("$.tasks", task.Name);
            problems.Add(tasks?[task.Name]?[Key]?.Offset ?? 0, $"{at}.{Key}", ProblemOf(Of(task), tls)!);
        }

        return problems.Sorted();
    }
}
