using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control.Messages;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Control;

/// <summary>The methods of the service <c>node</c> that are about a cluster.</summary>
/// <param name="host">The host of the service.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterMethods(IControlHost host, ILogger log)
{
    /// <summary>Looks at the cluster, or changes the node's place in it.</summary>
    /// <param name="request">The request.</param>
    public async Task<ClusterAnswer> ClusterAsync(ClusterRequest request)
    {
        IClusterControl cluster = Cluster();
        ClusterAnswer answer = request.Action switch
        {
            "info" => cluster.Info,
            "join" => await cluster.JoinAsync(request.Engine, request.TakeOver),
            "leave" => await cluster.LeaveAsync(),
            "remove" => await cluster.RemoveAsync(NodeOf(request)),
            "drain" or "undrain" => await cluster.DrainAsync(NodeOf(request), request.Action == "drain"),
            _ => throw new NodeException("cluster has the actions info, join, leave, remove, drain and undrain")
            {
                Code = ErrorCodes.BadRequest,
            },
        };
        if (request.Action != "info")
        {
            ControlLog.Asked(log, $"cluster {request.Action}", "");
        }

        return answer;
    }

    /// <summary>Shows a rollout, or changes its way; the answer is the app on all nodes.</summary>
    /// <param name="request">The request.</param>
    public async Task<ClusterAppAnswer> RolloutAsync(RolloutRequest request)
    {
        if (request.Action != "show")
        {
            await Cluster().SteerAsync(request.App, request.Action);
            ControlLog.Asked(log, $"rollout {request.Action}", request.App);
        }

        return (await Cluster().AppsAsync(request.App))[0];
    }

    /// <summary>The apps of the cluster on all nodes.</summary>
    /// <param name="app">The app; null = all.</param>
    public Task<IReadOnlyList<ClusterAppAnswer>> AppsAsync(string? app) => Cluster().AppsAsync(app);

    private IClusterControl Cluster() => host.Cluster
        ?? throw new NodeException("this node joins no cluster: 'cocaine-fast serve' does") { Code = ErrorCodes.BadRequest };

    private static string NodeOf(ClusterRequest request) => request.Node
        ?? throw new NodeException($"cluster {request.Action} needs 'node'") { Code = ErrorCodes.BadRequest };
}
