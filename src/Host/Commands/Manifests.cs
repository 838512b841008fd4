using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Host.Commands;

/// <summary>Reads the manifests and configs that a command was given and prints every mistake in them.</summary>
internal static class Manifests
{
    /// <summary>All of them, or null when one has a mistake.</summary>
    public static List<AppManifest>? Read(IEnumerable<string> paths, TextWriter report, EngineDefaults? defaults = null)
    {
        List<AppManifest> apps = [];
        bool failed = false;
        foreach (string path in paths)
        {
            ManifestResult result = ManifestReader.ReadFile(path, checkFiles: true, defaults: defaults);
            foreach (ManifestProblem problem in result.Problems)
            {
                report.WriteLine(problem);
            }

            if (result.Manifest is null)
            {
                failed = true;
            }
            else if (apps.Exists(app => app.Name == result.Manifest.Name))
            {
                report.WriteLine(new ManifestProblem(path, result.NameLine, result.NameColumn, "$.name",
                    $"another manifest has the name '{result.Manifest.Name}' already"));
                failed = true;
            }
            else
            {
                apps.Add(result.Manifest);
            }
        }

        return failed ? null : apps;
    }

    /// <summary>A node's config, or null when it has a mistake.</summary>
    public static NodeConfig? ReadConfig(string path, TextWriter report)
    {
        ConfigResult result = ConfigReader.ReadFile(path);
        foreach (ManifestProblem problem in result.Problems)
        {
            report.WriteLine(problem);
        }

        return result.Config;
    }
}
