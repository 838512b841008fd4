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
        Option<string?> name = new("--name")
        {
            Description = "The node's name in its cluster. Without a config it also gives the node folders of its own, and the first free "
                + "port for its locator from 10053: several nodes on one machine",
        };
        name.Validators.Add(given =>
        {
            if (given.GetValueOrDefault<string?>() is { } text && !EngineAddress.IsNodeName(text))
            {
                given.AddError($"--name is {ClusterKeys.Top.First(key => key.Name == "name").Expected}");
            }
        });
        Option<string?> cluster = new("--cluster")
        {
            Description = "The address of the cluster's engine, nats://HOST:PORT or tls://HOST:PORT; instead of 'cluster.engine'",
        };
        Command command = new(
            "serve",
            "Run a node as a daemon: apps are created with 'cocaine-fast app create' and kept. "
            + "SIGHUP reads the config again; SIGTERM, SIGINT or SIGQUIT drain and end it, a second signal at once.\n\n"
            + "Example:\n  cocaine-fast serve --config examples/node.json")
        {
            config, name, cluster,
        };
        command.SetAction((parsed, _) =>
        {
            string? file = parsed.GetValue(config);
            ServeOverrides overrides = new(parsed.GetValue(name), parsed.GetValue(cluster));
            NodeConfig? read = file is not null ? Manifests.ReadConfig(file)
                : overrides.Name is { } named ? NamedNode.Settings(named) : new NodeConfig();
            if (read is null)
            {
                return Task.FromResult(ExitCodes.Invalid);
            }

            NodeConfig given = overrides.Over(read);
            if (overrides.Problem(given) is { } problem)
            {
                Complaint.Say(problem);
                return Task.FromResult(ExitCodes.Invalid);
            }

            return Task.FromResult(NodeThreads.RunToEnd(new Server(file, given, overrides).RunAsync));
        });
        return command;
    }
}
