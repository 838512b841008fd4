using System.Text.Json;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Load;
using Xunit.Abstractions;

namespace Cocaine.Fast.Node.Tests.Shards;

/// <summary>The loops of an app that is not overloaded have nothing to do with each other: no lock, no message and no garbage.</summary>
[Collection(nameof(Alone))]
public class SharedNothingTests(ITestOutputHelper output)
{
    private const int Requests = 50_000;

    /// <summary>What the runtime and the test host may allocate meanwhile.</summary>
    private const long NoiseBytes = 64 << 10;

    [Fact]
    public async Task Eight_loops_serve_without_a_contended_lock_or_a_message_between_them()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { Loops = 8, Concurrency = 1024, QueueLimit = 4096, PoolLimit = 8, PoolMinimum = 8 };
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread, engine));
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("idle").GetInt64() == 8);
        await LoadRunner.RunAsync(new LoadOptions(app.Endpoints[0].Endpoint, "echo", 8, 8, 64, TimeSpan.FromSeconds(2)));
        (long contended, long requests) = (long.MaxValue, 0);
        (long bytes, string types) = await AllocationCount.LeastAsync(NoiseBytes, async () =>
        {
            long before = Monitor.LockContentionCount;
            (long allocated, requests) = await LoadCount.CountAsync(app.Endpoints[0].Endpoint, Requests);
            contended = Math.Min(contended, Monitor.LockContentionCount - before); // the test host has locks of its own
            return allocated;
        });

        JsonElement[] shards = [.. (await app.InfoAsync()).GetProperty("shards").EnumerateArray()];
        output.WriteLine($"{requests} requests: {contended} contended locks, {bytes} bytes; {string.Join('\n', shards.Select(shard => $"{shard}"))}");
        Assert.All(shards, shard => Assert.NotEqual(0, shard.GetProperty("done").GetInt64()));
        Assert.All(shards, shard => Assert.Equal(0, shard.GetProperty("sent-away").GetInt64()));
        Assert.Equal(0, contended);
        Assert.True(bytes <= NoiseBytes, types);
    }
}
