using System.CommandLine;
using System.CommandLine.Parsing;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Host.Serving;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>Finds the node that a command talks to.</summary>
internal static class NodeAddress
{
    private const string Variable = EnvironmentNames.Control;

    /// <summary>The option that selects the node.</summary>
    public static Option<string> Option() => new(ControlCommands.NodeOption)
    {
        Description = $"The node's control endpoint: ipc:///path or tls://HOST:PORT, or its name; also by the variable {Variable}",
        DefaultValueFactory = _ => Given() ?? Folders.ControlEndpoint(),
    };

    /// <summary>
    /// Connects. When no node was named and no daemon is there, connects to the one <c>cocaine-fast run</c> of this user.
    /// </summary>
    /// <exception cref="ConnectionLostException">No node is there.</exception>
    /// <exception cref="FormatException">Several nodes are there, or the endpoint cannot be read.</exception>
    public static async Task<NodeControlClient> ConnectAsync(ParseResult parsed, CancellationToken cancellation)
    {
        // A command line that is still being typed has no default values yet.
        bool isWritten = parsed.GetResult(ControlCommands.NodeOption) is OptionResult { Implicit: false };
        string endpoint = isWritten ? parsed.GetRequiredValue<string>(ControlCommands.NodeOption) : Given() ?? Folders.ControlEndpoint();
        if (EngineAddress.IsNodeName(endpoint))
        {
            endpoint = Folders.ControlEndpoint(Folders.NamedRuntime(endpoint));
        }

        bool isNamed = isWritten || Given() is not null;
        try
        {
            return await NodeControlClient.ConnectAsync(endpoint, TlsOptions.Of(parsed, endpoint), cancellation);
        }
        catch (ConnectionLostException) when (!isNamed && RunSockets.Live() is { Count: > 0 } runs)
        {
            return runs.Count == 1 ? await NodeControlClient.ConnectAsync(runs[0], cancellation)
                : throw new FormatException(
                    $"no daemon is at {endpoint}, and several nodes of 'cocaine-fast run' are here: say which one with --node\n"
                    + string.Join('\n', runs));
        }
    }

    private static string? Given() => EnvironmentNames.Get(Variable);
}
