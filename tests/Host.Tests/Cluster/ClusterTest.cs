namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>The base of tests with the nodes of a cluster: the processes, and a folder for manifests.</summary>
public abstract class ClusterTest : IDisposable
{
    private protected ClusterNodes Nodes { get; } = new();

    private protected TestFolder Folder { get; } = new();

    public void Dispose()
    {
        Nodes.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }
}
