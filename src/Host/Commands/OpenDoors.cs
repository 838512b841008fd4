using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Host.Commands;

/// <summary>
/// The doors of manifests and configs that other hosts can reach, and that ask nobody who calls. The locator is not among them: the config
/// names its address only when others shall find it, and it gives away no more than addresses.
/// </summary>
internal static class OpenDoors
{
    /// <summary>One warning for each open door of an app.</summary>
    public static IEnumerable<string> Of(AppManifest app)
    {
        foreach (TaskManifest task in app.Tasks.Where(task => task.Driver?.Connects(task.Keys) == false))
        {
            foreach (string endpoint in task.Endpoints.Where(IsOpen).Where(_ => TlsNeeds.Of(task) != DoorTls.Mutual))
            {
                yield return Warning(app.FilePath, $"{JsonPath.Member("$.tasks", task.Name)}.endpoint", endpoint);
            }
        }

        if (app.PubsubEndpoint is { } feed && IsOpen(feed))
        {
            yield return Warning(app.FilePath, "$.pubsub.endpoint", feed);
        }
    }

    /// <summary>One warning for each open door of a node.</summary>
    public static IEnumerable<string> Of(string path, NodeConfig config)
    {
        if (config.NodeService is { } service && IsOpen(service))
        {
            yield return Warning(path, "$.node-service", service);
        }

        if (config.Cluster is { Forwards: true } cluster && IsOpen(cluster.Listen) && config.Security.Tls?.ClientCaFile is null)
        {
            yield return $"{path}: warning: $.cluster.listen: jobs go between nodes in the clear, and '{JsonPath.Shown(cluster.Listen)}' "
                + "is open to other hosts: give security.tls with a client-ca, or let only the nodes reach it";
        }
    }

    private static bool IsOpen(string endpoint) => !EndpointSyntax.IsOnThisHost(endpoint);

    private static string Warning(string? file, string path, string endpoint) =>
        $"{file}: warning: {path}: '{JsonPath.Shown(endpoint)}' {EndpointSyntax.OpenToOthers}";
}
