using System.Text;
using Cocaine.Fast.Core.Manifest;
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

    /// <summary>Takes the next bytes of packed code.</summary>
    /// <param name="request">The bytes.</param>
    public async Task<CodeAnswer> CodeAsync(CodeRequest request) => new(await Cluster().TakeCodeAsync(request));

    /// <summary>The manifest; with code, this node has the code when the task ends.</summary>
    /// <param name="request">The request.</param>
    public async Task<ManifestText> TextOfAsync(ManifestRequest request)
    {
        byte[] text = Encoding.UTF8.GetBytes(request.Manifest);
        if (request is { Code: { } code, Local: false })
        {
            PackedCode pack = new(code, request.Path);
            return new ManifestText(text, await Cluster().FindCodeAsync(pack)) { Code = pack };
        }

        string? mistake = request.Code is not null ? "--local and --pack: code is sent to the nodes of a cluster"
            : !Path.IsPathRooted(request.Path) ? "is not absolute: it is where relative paths of the manifest start from"
            : request.Path.Contains('\0') ? "is no path, because it has a zero character" : null;
        return mistake is null ? new ManifestText(text, request.Path)
            : throw new NodeException($"'{JsonPath.Shown(request.Path)}' {mistake}") { Code = ErrorCodes.BadRequest };
    }

    private IClusterControl Cluster() => host.Cluster
        ?? throw new NodeException("this node joins no cluster: 'cocaine-fast serve' does") { Code = ErrorCodes.BadRequest };

    private static string NodeOf(ClusterRequest request) => request.Node
        ?? throw new NodeException($"cluster {request.Action} needs 'node'") { Code = ErrorCodes.BadRequest };
}
