using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Cpp;

/// <summary>A node with one C++ app, in one of the ways in which a node runs one, and a client of it.</summary>
internal sealed class CppNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private CppNode(TestNode node, RunningApp app, CocaineClient client)
    {
        Node = node;
        App = app;
        Client = client;
    }

    /// <summary>As a program, as a shared object in a worker process, and in a thread of the node.</summary>
    public static TheoryData<BackendType, bool> Kinds => new()
    {
        { BackendType.Process, false },
        { BackendType.Process, true },
        { BackendType.Thread, true },
    };

    public TestNode Node { get; }

    public RunningApp App { get; }

    public CocaineClient Client { get; }

    /// <summary>Starts it, and waits until the app serves.</summary>
    public static async Task<CppNode> StartAsync(AppManifest manifest)
    {
        TestNode node = TestNode.Start();
        try
        {
            RunningApp app = await node.AddAsync(manifest);
            return new CppNode(node, app, await TestNode.ConnectAsync(app));
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>The app whose handlers do what the contract asks of a binding.</summary>
    public static AppManifest Contract(BackendType backend, bool isObject) => TestApps.DotNet(backend) with
    {
        Name = "cpp-contract",
        Type = AppType.Cpp,
        Version = 3,
        Code = new CodeSource { Source = isObject ? CppBuild.ContractObject : CppBuild.ContractProgram },
    };

    /// <summary>The app whose handlers do what they should not, in one slave that gets no second try.</summary>
    public static AppManifest Faults(BackendType backend, bool isObject)
    {
        AppManifest manifest = Contract(backend, isObject);
        return manifest with
        {
            Name = "cpp-faults",
            Code = new CodeSource { Source = isObject ? CppBuild.FaultyObject : CppBuild.FaultyProgram },
            Engine = manifest.Engine with { PoolLimit = 1, RetryLimit = 0 },
        };
    }

    /// <summary>The whole answer of an event as text.</summary>
    public async Task<string> TextAsync(string name, string request) =>
        Encoding.UTF8.GetString(await Client.CallAsync(name, Utf8.Of(request)).WaitAsync(Patience));

    public async ValueTask DisposeAsync()
    {
        await Client.DisposeAsync();
        await Node.DisposeAsync();
    }
}
