using Cocaine.Fast.Host.Logs;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Host.Serving;

/// <summary>The control of a node that <c>run</c> starts.</summary>
internal static class RunControl
{
    /// <summary>Control on a socket of the process.</summary>
    public const string Auto = "auto";

    /// <summary>No control.</summary>
    public const string None = "none";

    /// <summary>Begins to listen; null when the node has no control.</summary>
    /// <exception cref="NodeException">The named endpoint cannot be used.</exception>
    public static async Task<ControlService?> OpenAsync(CocaineNode node, string where, ILogger log)
    {
        if (where == None)
        {
            return null;
        }

        try
        {
            if (where == Auto)
            {
                RunSockets.RemoveStale();
            }

            string endpoint = where == Auto ? RunSockets.OfThisProcess : where;
            ControlService control = await ControlService.OpenAsync(node, endpoint, new PlainControlHost(node));
            HostLog.Controlled(log, control.Endpoint);
            return control;
        }
        catch (Exception failure) when (where == Auto && (failure is NodeException or IOException or UnauthorizedAccessException))
        {
            HostLog.NotControlled(log, failure.Message); // nobody asked for control: the apps run all the same
            return null;
        }
    }
}
