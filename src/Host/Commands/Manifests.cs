using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands;

/// <summary>Reads the manifests and configs of a command and prints every mistake in them.</summary>
internal static class Manifests
{
    /// <summary>All manifests, or null when one has a mistake.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="node">The node that runs the apps; null when it is not known.</param>
    public static List<AppManifest>? Read(IEnumerable<string> paths, NodeConfig? node = null)
    {
        List<AppManifest> apps = [];
        bool failed = false;
        foreach (string path in paths)
        {
            ManifestResult result = ManifestReader.ReadFile(path, checkFiles: true, defaults: node?.EngineDefaults);
            foreach (ManifestProblem problem in result.Problems)
            {
                Complaint.Say($"{problem}");
            }

            if (result.Manifest is null || Lacks(path, result.Manifest, node))
            {
                failed = true;
            }
            else if (apps.Exists(app => app.Name == result.Manifest.Name))
            {
                ManifestProblem twice = new(path, result.NameLine, result.NameColumn, "$.name",
                    $"another manifest has the name '{result.Manifest.Name}' already");
                Complaint.Say($"{twice}");
                failed = true;
            }
            else
            {
                apps.Add(result.Manifest);
            }
        }

        return failed ? null : apps;
    }

    /// <summary>The node does not have all that an app needs; says so.</summary>
    private static bool Lacks(string path, AppManifest app, NodeConfig? node)
    {
        IReadOnlyList<ManifestProblem> lacks = node is not null && JsonText.ReadFile(path, "manifest", out _) is { } text
            ? [.. TlsNeeds.Problems(text, path, app, node.Security.Tls), .. NetworkNeeds.Problems(text, path, app, node.Security)] : [];
        foreach (ManifestProblem lack in lacks)
        {
            Complaint.Say($"{lack}");
        }

        return lacks.Count > 0;
    }

    /// <summary>A node's config, or null when it has a mistake.</summary>
    public static NodeConfig? ReadConfig(string path)
    {
        ConfigResult result = ConfigReader.ReadFile(path);
        foreach (ManifestProblem problem in result.Problems)
        {
            Complaint.Say($"{problem}");
        }

        return result.Config;
    }
}
