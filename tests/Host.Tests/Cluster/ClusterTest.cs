namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>The base of tests with the nodes of a cluster: the processes, and a folder for manifests.</summary>
public abstract class ClusterTest : IDisposable
{
    private protected ClusterNodes Nodes { get; } = new();

    private protected TestFolder Folder { get; } = new();

    /// <summary>The manifest of an app of a cluster, whose versions come to the nodes without a pause.</summary>
    /// <param name="name">The app.</param>
    /// <param name="version">Its version.</param>
    /// <param name="placement">Further keys of its section <c>cluster</c>.</param>
    private protected string Placed(string name, int version, string placement = "\"forward\": true")
    {
        string path = Folder.Manifest(name, version);
        File.WriteAllText(path, File.ReadAllText(path).Replace(
            "\"version\"", $"\"cluster\": {{ {placement}, \"rollout\": {{ \"settle\": 0 }} }}, \"version\""));
        return path;
    }

    public void Dispose()
    {
        Nodes.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
