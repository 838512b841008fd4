using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>
/// Public balancers retry by the pair of an error: clients that come by the public protocol get the pairs of a Cocaine node, and clients of
/// this product get the node's own.
/// </summary>
public class PublicErrorsTests
{
    private static readonly byte[] Offer = [0x93, 0xc2, 0xb1, .. "cocaine-fast-flow"u8, 0x01];

    [Theory]
    [InlineData(false, 0x52ff, 1, 0x51ff, 6, 0x51ff, 1, 0x53ff, 8)]
    [InlineData(true, 1000, 503, 1000, 503, 1000, 520, 1000, 504)]
    public async Task Every_client_gets_the_pair_that_it_knows(
        bool ours, int fullCategory, int full, int pausedCategory, int paused, int lateCategory, int late, int silentCategory, int silent)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { Concurrency = 1, PoolLimit = 1, QueueLimit = 1, TerminationTimeoutMs = 500 };
        RunningApp app = await node.AddAsync(GatedApp.Manifest(BackendType.Process, engine));
        using GatedApp gate = new();
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        byte[][] offer = ours ? [Offer] : [];
        await AskAsync(client, 1, gate, [.. offer, Header("silence_timeout"u8, 300)]);
        await gate.AwaitHandlerAsync();
        await AskAsync(client, 2, gate, [Header("request_timeout"u8, 100)]);
        await AskAsync(client, 3, gate, []);
        Dictionary<ulong, Received> ends = [];
        while (ends.Count < 3)
        {
            Received message = (await client.ReadAsync())!;
            if (message.Channel > 0 && message.Type != MessageType.Chunk)
            {
                ends.Add(message.Channel, message);
            }
        }

        await node.Node.PauseAsync(app.Name);
        await AskAsync(client, 4, gate, []);
        ends.Add(4, (await client.ReadToEndOfAsync(4)).Single());

        Assert.Equal((silentCategory, silent), (ends[1].Category, ends[1].Code));
        Assert.EndsWith("was silent for the job's timeout of 300 ms", ends[1].Text, StringComparison.Ordinal);
        Assert.Equal((lateCategory, late), (ends[2].Category, ends[2].Code));
        Assert.StartsWith("the deadline of 100 ms passed", ends[2].Text, StringComparison.Ordinal);
        Assert.Equal((fullCategory, full), (ends[3].Category, ends[3].Code));
        Assert.StartsWith("the queue is full", ends[3].Text, StringComparison.Ordinal);
        Assert.Equal((pausedCategory, paused), (ends[4].Category, ends[4].Code));
        Assert.StartsWith("the app is paused", ends[4].Text, StringComparison.Ordinal);
        Assert.All(ends.Values, end => Assert.NotEmpty(end.Headers)); // each has the job's number
        gate.Open();
    }

    [Fact]
    public async Task The_errors_of_an_app_stay_as_they_are()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        using MessagePeer client = await MessagePeer.ConnectAsync(app);
        await client.SendAsync(sink =>
        {
            MessageWriter.WriteEnqueue(sink, 1, "no such event"u8, default, bin: false);
            MessageWriter.WriteClose(sink, 1);
        });
        Received refused = (await client.ReadToEndOfAsync(1)).Single();
        Assert.Equal((1000, 404), (refused.Category, refused.Code));
    }

    private static byte[] Header(ReadOnlySpan<byte> name, int value) =>
        [0x93, 0xc2, (byte)(0xa0 | name.Length), .. name, 0xcd, (byte)(value >> 8), (byte)value];

    private static Task AskAsync(MessagePeer client, ulong channel, GatedApp gate, byte[][] headers) => client.SendAsync(sink =>
    {
        MessageWriter.WriteEnqueue(sink, channel, "sum"u8, [(byte)(0x90 | headers.Length), .. headers.SelectMany(header => header)], bin: true);
        MessageWriter.WriteChunk(sink, channel, new Payload(gate.Path), bin: true);
        MessageWriter.WriteClose(sink, channel);
    });
}
