using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Flow;

/// <summary>A worker that offers flow control and does not heed it, before a client that does not read.</summary>
[Collection(nameof(Alone))]
public class IgnoringWorkerTests
{
    /// <summary>The answers that the node keeps for a client that does not read, and what is on the way to it.</summary>
    private const long MostBytes = (128 + 48) << 20;

    private const int ChunkBytes = 512 << 10, Chunks = 800;

    [Fact]
    public async Task Its_answer_fails_at_the_bound_of_the_client_and_the_worker_goes_on()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Manifest());
        long before = GC.GetTotalMemory(forceFullCollection: true);
        using PlainClient client = new(app.Endpoints[0].Endpoint);
        client.Open("relay");
        byte[] chunk = new byte[ChunkBytes];
        long most = 0;
        for (int i = 0; i < Chunks; i++)
        {
            client.Chunk(chunk);
            most = Math.Max(most, KeptBytes() - before);
        }

        client.Close();
        Assert.Contains("the client reads its answers too slowly", client.ReadAnswer());
        Assert.InRange(client.AnswerBytes, 32 << 20, MostBytes);
        Assert.InRange(most, 0, MostBytes);
        Assert.Equal("on", client.Call("echo", "on"));
    }

    /// <summary>The memory that is in use. The garbage of client and node, which is in this process too, is not kept.</summary>
    private static long KeptBytes()
    {
        long bytes = GC.GetTotalMemory(forceFullCollection: false);
        return bytes <= MostBytes ? bytes : GC.GetTotalMemory(forceFullCollection: true);
    }

    private static AppManifest Manifest()
    {
        AppManifest manifest = TestApps.DotNet(BackendType.Process);
        return manifest with
        {
            Name = "ignoring",
            Type = AppType.Binary,
            Code = new CodeSource
            {
                Source = Path.Combine(Repository.Root, "tests/contract/wrong/wrong.py"),
                Env = new Dictionary<string, string> { ["FAULT"] = "knows no hold" },
            },
            Engine = manifest.Engine with { Concurrency = 16 },
        };
    }
}
