using Cocaine.Fast.Core.Balancing;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>The method 2 of an app, load: a real node, and a client that speaks by hand.</summary>
public sealed class LoadStreamTests
{
    private const ulong Loads = 1;

    [Fact]
    public async Task A_client_that_asks_hears_of_the_load_at_once_and_before_each_end()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread, new EngineSettings { Concurrency = 7, PoolLimit = 1 }));
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        await client.SendAsync(sink => MessageWriter.WriteEmpty(sink, Loads, 2));
        LoadNews news = NewsOf((await client.ReadAsync())!);
        Assert.Equal((7, 0, 0, true), (news.Load.Slots, news.Load.Running, news.Load.Queued, news.IsOpen));
        await client.SendAsync(NativePeer.Call(2, "echo", "x"));
        List<Received> all = [];
        while (all.Count == 0 || all[^1].Type != MessageType.Close)
        {
            all.Add((await client.ReadAsync())!);
        }

        Assert.Equal(2UL, all[^1].Channel);
        Assert.Equal(Loads, all[^2].Channel);
        Assert.Equal(0, NewsOf(all[^2]).Load.Running); // the place is free
        for (int i = 0; i < 3; i++) // a second after the call too, though nothing changes
        {
            Assert.Equal(Loads, (await client.ReadAsync())!.Channel);
        }

        await client.SendAsync(sink => MessageWriter.WriteEmpty(sink, 3, 2));
        Received twice = (await client.ReadToEndOfAsync(3))[^1];
        Assert.Equal((MessageType.Error, 400), (twice.Type, twice.Code));
        await client.SendAsync(sink => MessageWriter.WriteClose(sink, Loads)); // enough
        Assert.Equal(MessageType.Close, (await client.ReadToEndOfAsync(Loads))[^1].Type);
        await client.SendAsync(NativePeer.Call(4, "echo", "x"));
        Assert.All(await ReadToEndAsync(client, 4), message => Assert.Equal(4UL, message.Channel));
    }

    [Fact]
    public async Task A_client_that_does_not_ask_sees_nothing_of_it()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        await client.SendAsync(NativePeer.Call(1, "echo", "x"));
        Assert.Equal([0UL, 2UL], (await ReadToEndAsync(client, 1)).Select(message => message.Type));
        await client.SendAsync([0x93, 2, 2, 0x91, 1]); // with an argument it is no question for the load
        Received refused = (await client.ReadAsync())!;
        Assert.Equal((MessageType.Error, 1000, 400), (refused.Type, refused.Category, refused.Code));
    }

    /// <summary>A refused job has a category of its own for those that hear of the load, and for nobody else.</summary>
    [Theory]
    [InlineData(true, ErrorCodes.RefusedCategory, 503)]
    [InlineData(false, 0x51ff, 6)]
    public async Task A_job_that_was_not_run_can_be_told_from_others(bool asks, int category, int code)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread));
        await node.Node.PauseAsync(app.Name);
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        if (asks)
        {
            await client.SendAsync(sink => MessageWriter.WriteEmpty(sink, Loads, 2));
            Assert.False(NewsOf((await client.ReadAsync())!).IsOpen);
        }

        await client.SendAsync(NativePeer.Call(2, "echo", "x"));
        Received refused = (await client.ReadToEndOfAsync(2))[^1];
        Assert.Equal((category, code), (refused.Category, refused.Code));
        Assert.Contains("paused", refused.Text, StringComparison.Ordinal);
    }

    private static LoadNews NewsOf(Received message)
    {
        Assert.Equal((Loads, (ulong)MessageType.Chunk), (message.Channel, message.Type));
        Assert.True(LoadNews.TryRead(message.Data, out LoadNews news), Convert.ToHexString(message.Data));
        return news;
    }

    private static async Task<List<Received>> ReadToEndAsync(MessagePeer client, ulong channel)
    {
        List<Received> all = [];
        while (all.Count == 0 || all[^1].Channel != channel || all[^1].Type == MessageType.Chunk)
        {
            all.Add((await client.ReadAsync())!);
        }

        return all;
    }
}
