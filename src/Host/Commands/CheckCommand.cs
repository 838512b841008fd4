using System.CommandLine;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast check MANIFEST...</c></summary>
internal static class CheckCommand
{
    public static Command Create()
    {
        Argument<string[]> files = new("manifest") { Description = "Manifest files", Arity = ArgumentArity.OneOrMore };
        Command command = new("check",
            "Check manifests and report every mistake at once.\n\nExample:\n  cocaine-fast check examples/echo/manifest.json") { files };
        command.SetAction(parsed =>
        {
            if (Manifests.Read(parsed.GetValue(files)!, Console.Error) is null)
            {
                return ExitCodes.Invalid;
            }

            Console.WriteLine("ok");
            return ExitCodes.Ok;
        });
        return command;
    }
}
