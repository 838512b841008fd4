using System.CommandLine;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Host.Serving;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Threading;

namespace Cocaine.Fast.Host.Commands;

/// <summary><c>cocaine-fast serve [--config FILE]</c></summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        Option<string?> config = new("--config") { Description = "The node's config; without one every key has its default" };
        Command command = new(
            "serve",
            "Run a node as a daemon: apps are created with 'cocaine-fast app create' and kept. "
            + "SIGHUP reads the config again; SIGTERM, SIGINT or SIGQUIT drain and end it, a second signal at once.\n\n"
            + "Example:\n  cocaine-fast serve --config examples/node.json")
        {
            config,
        };
        command.SetAction((parsed, _) =>
        {
            string? file = parsed.GetValue(config);
            NodeConfig? read = file is null ? new NodeConfig() : Manifests.ReadConfig(file);
            return Task.FromResult(read is null ? ExitCodes.Invalid : NodeThreads.RunToEnd(new Server(file, read).RunAsync));
        });
        return command;
    }
}
