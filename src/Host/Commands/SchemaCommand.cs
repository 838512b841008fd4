using System.CommandLine;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast schema</c></summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        Command command = new("schema", "Print the JSON schema of manifests.\n\nExample:\n  cocaine-fast schema > manifest.schema.json");
        command.SetAction(_ =>
        {
            Console.WriteLine(ManifestSchema.Write());
            return ExitCodes.Ok;
        });
        return command;
    }
}
