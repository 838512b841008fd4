using System.CommandLine;
using Cocaine.Fast.Core.Terminal;
using Cocaine.Fast.Host.Terminal;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Commands.Control;

/// <summary>The options that send the code of an app to all nodes of a cluster.</summary>
internal sealed class PackOptions
{
    private readonly Option<bool> _pack = new("--pack")
    {
        Description = "Send the code along, to all nodes of the cluster: the folder of the manifest, without the files that its "
            + ".cocaineignore names",
    };

    private readonly Option<string?> _from = new("--pack-from")
    {
        Description = "Like --pack, with another folder than that of the manifest",
        HelpName = "FOLDER",
    };

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    public Command AddTo(Command command)
    {
        command.Add(_pack);
        command.Add(_from);
        return command;
    }

    /// <summary>Sends the code when it is to be sent.</summary>
    /// <param name="parsed">The options.</param>
    /// <param name="manifest">The manifest.</param>
    /// <param name="node">The node that gets it.</param>
    /// <param name="stop">Gives up.</param>
    /// <returns>The manifest, with its place in the code when this was sent; null when it cannot be, which was said.</returns>
    public async Task<ManifestText?> SendAsync(ParseResult parsed, ManifestText manifest, NodeControlClient node, CancellationToken stop)
    {
        string? from = parsed.GetValue(_from);
        if (from is null && !parsed.GetValue(_pack))
        {
            return manifest;
        }

        try
        {
            return await CodeSending.SendAsync(manifest, from, node, stop);
        }
        catch (NodeException failure)
        {
            Complaint.Say(PlainText.Indented(failure.Message));
            return null;
        }
    }
}
