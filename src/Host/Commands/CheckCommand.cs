using System.CommandLine;
using Cocaine.Fast.Core.Configuration;

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
        Option<bool> config = new("--config") { Description = "The files are configs; without this, their keys tell" };
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
            bool isGood = byKind[true].All(CheckConfig) & Manifests.Read(byKind[false]) is not null;
            if (isGood)
            {
                Console.WriteLine("ok");
            }

            return isGood ? ExitCodes.Ok : ExitCodes.Invalid;
        });
        return command;
    }

    private static bool CheckConfig(string path) =>
        Manifests.ReadConfig(path) is { } config
        && Manifests.Read(config.Apps, config.EngineDefaults) is not null;
}
