using System.CommandLine;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast check FILE...</c></summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Argument<string[]> files = new("file")
        {
            Description = "Manifests of apps, and configs of nodes: a config is checked together with the manifests that it names",
            Arity = ArgumentArity.OneOrMore,
        };
        Option<bool> config = new("--config") { Description = "The files are configs; without this option their keys decide" };
        Command command = new(
            "check",
            "Check manifests and configs, and report every mistake at once.\n\nExamples:\n"
            + "  cocaine-fast check examples/echo/manifest.json\n  cocaine-fast check examples/node.json")
        {
            files, config,
        };
        command.SetAction(parsed =>
        {
            ILookup<bool, string> byKind = parsed.GetValue(files)!
                .ToLookup(file => parsed.GetValue(config) || ConfigReader.IsConfig(file));
            List<AppManifest>? apps = Manifests.Read(byKind[false]);
            bool isGood = byKind[true].All(CheckConfig) & apps is not null;
            Warn(apps, nobodyAsks: true);
            if (isGood)
            {
                Console.WriteLine("ok");
            }

            return isGood ? ExitCodes.Ok : ExitCodes.Invalid;
        });
        return command;
    }

    private static bool CheckConfig(string path)
    {
        if (Manifests.ReadConfig(path) is not { } config)
        {
            return false;
        }

        List<string> warnings = [];
        List<string> mistakes = ConfigFiles.Mistakes(path, config, warnings);
        foreach (string line in OpenDoors.Of(path, config).Concat(warnings.Select(one => $"{path}: warning: {one}")).Concat(mistakes))
        {
            Complaint.Say(line);
        }

        List<AppManifest>? apps = Manifests.Read(config.Apps, config);
        Warn(apps, nobodyAsks: !config.Security.HasRules);
        foreach (string warning in KeysInReach.Of(config, apps ?? []))
        {
            Complaint.Say(warning);
        }

        return mistakes.Count == 0 && apps is not null;
    }

    /// <summary>
    /// The later machine of an app may have all that the app needs, and a firewall in front of it, so a lack and an open door on this
    /// machine are no mistakes of the manifest.
    /// </summary>
    /// <param name="apps">The apps; null when a manifest has mistakes.</param>
    /// <param name="nobodyAsks">No config with rules for callers belongs to the apps.</param>
    private static void Warn(List<AppManifest>? apps, bool nobodyAsks)
    {
        foreach (AppManifest app in apps ?? [])
        {
            if (AppNeeds.LackOf(app) is { } lack)
            {
                Complaint.Say($"{app.FilePath}: warning: here {app.Name} cannot start: {lack}");
            }

            foreach (string warning in nobodyAsks ? OpenDoors.Of(app) : [])
            {
                Complaint.Say(warning);
            }
        }
    }
}
