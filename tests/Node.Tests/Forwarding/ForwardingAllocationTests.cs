using Cocaine.Fast.Client;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests.Forwarding;

/// <summary>Counts every byte that the process allocates: two nodes, the link between them, the slave and the client.</summary>
[Collection(nameof(Alone))]
public class ForwardingAllocationTests(ITestOutputHelper output)
{
    private const int Requests = 100_000;
    private const long RuntimeNoiseBytes = 64 << 10;

    [Fact]
    public async Task A_hundred_thousand_forwarded_requests_allocate_nothing()
    {
        await using TestNode runner = TestNode.Start(), giver = TestNode.Start();
        RunningApp there = await runner.AddAsync(TestApps.DotNet(BackendType.Thread));
        RunningApp here = await giver.AddAsync(TestApps.DotNet(BackendType.Thread, new EngineSettings { Concurrency = 1, QueueLimit = 1, PoolLimit = 1 }));
        NodePeers ofRunner = await ForwardingNodes.OpenAsync("runner", there);
        NodePeers ofGiver = await ForwardingNodes.OpenAsync("giver", here, new PeerAddress("runner", ofRunner.Port));
        await using CocaineClient client = await CocaineClient.ConnectAsync(here.Endpoints[0].Endpoint);
        await FillAsync(client);
        long requests = 0;
        (long bytes, string types) = await AllocationCount.LeastAsync(RuntimeNoiseBytes, async () =>
        {
            (long count, requests) = await LoadCount.CountAsync(here.Endpoints[0].Endpoint, Requests);
            return count;
        });
        output.WriteLine($"{bytes} bytes in {requests} requests, {there.Engine.Counters.JobsTaken} jobs taken");
        Assert.InRange(requests, Requests, int.MaxValue);
        Assert.InRange((long)there.Engine.Counters.JobsTaken, Requests, long.MaxValue);
        Assert.True(bytes <= RuntimeNoiseBytes, types);
        await ofGiver.CloseAsync();
        await ofRunner.CloseAsync();
    }

    /// <summary>The only slave is busy and the queue is full: every job goes to the other node.</summary>
    private static async Task FillAsync(CocaineClient client)
    {
        for (int i = 0; i < 2; i++)
        {
            ClientCall open = client.Open("echo");
            await open.WriteAsync(new byte[1]);
        }

        for (long until = Environment.TickCount64 + 30_000; ; await Task.Delay(20))
        {
            try
            {
                await client.CallAsync("echo", new byte[1]);
                return;
            }
            catch (CocaineException refused) when (refused.Code == 503 && Environment.TickCount64 < until)
            {
                // no link yet: the refused job makes the node open one
            }
        }
    }
}
