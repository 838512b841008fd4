using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Host.Tests.Cluster;

/// <summary>Nodes of one machine as processes, each with a folder of its own, which its next start finds again.</summary>
internal sealed class ClusterNodes : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(40);
    private readonly Dictionary<string, TestFolder> _folders = [];
    private readonly List<ServeProcess> _processes = [];

    /// <summary>The folder of a node.</summary>
    public TestFolder this[string name] => _folders.TryGetValue(name, out TestFolder? folder) ? folder : _folders[name] = new TestFolder();

    /// <summary>Starts a node, and waits until it serves.</summary>
    /// <param name="folder">The name of its folder.</param>
    /// <param name="cluster">The keys of its section <c>cluster</c>; null = it has none.</param>
    /// <param name="more">Further keys of its config.</param>
    public async Task<ServeProcess> StartAsync(string folder, string? cluster, string more = "")
    {
        string section = cluster is null ? "" : $"\"cluster\": {{ {cluster} }}";
        ServeProcess node = await ServeProcess.StartAsync(this[folder], $"{more} {section}");
        _processes.Add(node);
        return node;
    }

    /// <summary>Starts a node of a cluster, and waits until it is a member.</summary>
    public async Task<ServeProcess> JoinAsync(string name, string engine)
    {
        ServeProcess node = await StartAsync(name, SectionOf(name, engine));
        await UntilAsync(node, cluster => cluster.State == "attached");
        return node;
    }

    public static string SectionOf(string name, string engine) =>
        $"\"name\": \"{name}\", \"engine\": \"{engine}\", \"listen\": \"tcp://127.0.0.1:0\""; // nodes of one machine cannot share a port

    /// <summary>Kills a node as a lack of power does.</summary>
    public static void Kill(ServeProcess node)
    {
        node.Process.Kill();
        node.Process.WaitForExit();
    }

    /// <summary>Asks a node until its answer is so.</summary>
    public static async Task<ClusterAnswer> UntilAsync(ServeProcess node, Predicate<ClusterAnswer> isSo)
    {
        await using NodeControlClient client = await node.ConnectAsync();
        using CancellationTokenSource late = new(Limit);
        while (true)
        {
            ClusterAnswer answer = await client.ClusterAsync(late.Token);
            if (isSo(answer))
            {
                return answer;
            }

            Assert.False(late.IsCancellationRequested, $"it stayed {answer} {string.Join(", ", answer.Nodes)}\n{node.Log}");
            await Task.Delay(20); // a view tells nobody when it changes
        }
    }

    /// <summary>Waits until a node sees these nodes and no others: <c>a up</c>, <c>b down</c>.</summary>
    public static Task<ClusterAnswer> SeesAsync(ServeProcess node, params string[] nodes) =>
        UntilAsync(node, cluster => cluster.Nodes.Select(one => $"{one.Node} {one.State}").SequenceEqual(nodes));

    public void Dispose()
    {
        _processes.ForEach(process => process.Dispose());
        foreach (TestFolder folder in _folders.Values)
        {
            folder.Dispose();
        }
    }
}
