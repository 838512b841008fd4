using System.CommandLine;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers;
using Cocaine.Fast.Host.Terminal;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast schema</c></summary>
internal static class SchemaCommand
{
    public static Command Create()
    {
        Option<bool> config = new("--config") { Description = "The schema of a node's config" };
        Command command = new(
            "schema", "Print the JSON schema of manifests, or of configs.\n\nExample:\n  cocaine-fast schema > manifest.schema.json")
        {
            config,
        };
        command.SetAction(parsed =>
        {
            Console.WriteLine(parsed.GetValue(config) ? ConfigSchema.Write() : ManifestSchema.Write(DriverRegistry.Table));
            return ExitCodes.Ok;
        });
        return command;
    }
}
