using System.Buffers;
using Cocaine.Fast.Client;
using Cocaine.Fast.Client.Clusters;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests;

/// <summary>Counts every byte that the whole process allocates while a client that hears of the load calls a node.</summary>
[Collection(nameof(Alone))]
public sealed class LoadStreamAllocationTests
{
    private const int Calls = 20_000;

    /// <summary>As in <see cref="AllocationTests"/>: what the runtime itself may allocate meanwhile.</summary>
    private const long RuntimeNoiseBytes = 64 << 10;

    [Fact]
    public async Task A_call_of_a_client_that_hears_of_the_load_allocates_nothing()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        string endpoint = app.Endpoints[0].Endpoint;
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        NodeSet nodes = new(app.Name);
        nodes.Want([endpoint]);
        ClusterLink link = nodes.TakeDue(long.MaxValue)[0];
        client.Loop.Post(new LoadListener(nodes, link, nodes.OnConnected(link, client)!.Value, client.Connection));
        byte[] request = new byte[64];
        ArrayBufferWriter<byte> answer = new(1024);
        await Task.Run(() => CallAsync(client, request, answer)); // off the test's context, which allocates for each continuation
        (long bytes, string types) = await AllocationCount.LeastAsync(
            RuntimeNoiseBytes, () => AllocationCount.OfAsync(() => Task.Run(() => CallAsync(client, request, answer))));
        Assert.True(bytes <= RuntimeNoiseBytes, $"{bytes} bytes in {Calls} calls: {types}");
        Assert.True(link.News.CompletionNs(Core.Timing.Clock.NowNs) > 0, "no news came");
    }

    private static async Task CallAsync(CocaineClient client, byte[] request, ArrayBufferWriter<byte> answer)
    {
        for (int i = 0; i < Calls; i++)
        {
            answer.ResetWrittenCount();
            if (await client.CallAsync("echo", request, answer).ConfigureAwait(false) != request.Length)
            {
                Assert.Fail("the answer is not the request");
            }
        }
    }
}
