using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>zeromq-sink, native-sink over ZeroMQ and zeromq-subscriber: what PUSH and PUB sockets of libzmq feed them.</summary>
[Collection(nameof(Alone))]
public sealed class FeedTests
{
    [Fact]
    public async Task Every_frame_of_a_push_is_a_job()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo": { "type": "zeromq-sink", "endpoint": "tcp://lo:0", "backlog": 100 } }
            """, """{"queue-limit":5,"pool-limit":1,"concurrency":2}""", pubsub: true));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("sub", "SUB", app.PubsubEndpoints[0], ["fields:echo got"], hwm: 100_000);
        await UntilHeardAsync(peer, app);
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("echo"));
        for (int i = 0; i < 300; i += 3)
        {
            await peer.SendTextAsync("push", Json(i), Json(i + 1), Json(i + 2));
        }

        // More than the queue holds, and not one is lost: what there is no room for waits on the socket.
        HashSet<string> got = [];
        while (got.Count < 300)
        {
            string[] field = await peer.ReceiveTextAsync("sub");
            Assert.True(got.Add(field[1]), $"{field[1]} came twice");
        }

        Assert.Equal(300, await app.NumberAsync("tasks", "echo", "time-on-slave-s", "count"));
        Assert.Equal(0, await app.NumberAsync("tasks", "echo", "dropped"));

        static string Json(int i) => $$"""{"got": {{i}}}""";
    }

    [Fact]
    public async Task Groups_of_the_native_sink_are_jobs_and_bad_ones_are_counted()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "echo": { "type": "native-sink", "transport": "zeromq", "endpoint": "tcp://lo:0" } }
            """, pubsub: true));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("sub", "SUB", app.PubsubEndpoints[0], ["fields:echo "]);
        await UntilHeardAsync(peer, app);
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("echo"));
        string uuid = Guid.NewGuid().ToString();
        byte[][] first = ZeroMqApps.Group(uuid, """{"a":1}"""), second = ZeroMqApps.Group(uuid, """{"b":"two"}""");
        await peer.SendAsync("push", [.. first[..3], .. second, [7], .. ZeroMqApps.Group("bad", "{}"), .. first]);
        Assert.Equal(("b", "two"), await FieldAsync(peer));
        Assert.Equal(("a", "1"), await FieldAsync(peer));
        await peer.SendAsync("push", ZeroMqApps.Group(uuid, "late", deadline: 1));
        Assert.Equal(("error", """{"code":520,"message":"the deadline passed before the job arrived"}"""), await FieldAsync(peer));
        Assert.Equal(3, await app.NumberAsync("tasks", "echo", "malformed"));
        Assert.Equal(2, await app.NumberAsync("jobs", "done"));
    }

    [Fact]
    public async Task A_million_messages_to_an_app_that_does_not_move_are_bounded_in_memory()
    {
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "slow": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" } }
            """, """{"queue-limit":50,"pool-limit":1,"concurrency":1}""", env: $$"""{ "GATE": "{{gate}}" }"""));
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("slow"));
        long before = MemoryBytes();
        byte[] message = Encoding.UTF8.GetBytes(new string('m', 1000)); // 1 GB in all
        int sent = await peer.FloodAsync("push", 1_000_000, 2000, message);
        Assert.InRange(sent, 1000, 100_000); // the PUSH was made to wait
        Assert.InRange(MemoryBytes() - before, long.MinValue, 128 << 20);
        Assert.Equal((50, 1), (await app.NumberAsync("queue", "depth"), await app.NumberAsync("jobs", "running")));

        // And it goes on where it was: not one of those that were sent is lost.
        File.WriteAllText(gate, "");
        await app.UntilAsync(sent, "jobs", "done");
        Assert.Equal(0, await app.NumberAsync("tasks", "slow", "dropped"));
        File.Delete(gate);
    }

    /// <summary>All messages and the end come with one look at the socket, and most of the messages have no room yet.</summary>
    [Fact]
    public async Task Messages_of_a_peer_that_went_away_wait_for_room()
    {
        const int Messages = 100;
        string gate = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields("""
            { "slow": { "type": "zeromq-sink", "endpoint": "tcp://127.0.0.1:0" } }
            """, """{"queue-limit":2,"pool-limit":1,"concurrency":1}""", env: $$"""{ "GATE": "{{gate}}" }"""));
        byte[] stream = [.. WireBytes.Third("PUSH"), .. Enumerable.Repeat(WireBytes.Message("a"u8.ToArray()), Messages - 1).SelectMany(one => one)];
        stream = [.. stream, .. WireBytes.Message(new byte[BufferPool.BlockSizeBytes - stream.Length - 9])]; // one block is full
        using ManualResetEventSlim sent = new();
        EventLoop loop = (EventLoop)app.Engine.Loop;
        loop.Post(sent.Wait);
        using WirePeer peer = new(app.EndpointOf("slow"));
        Assert.True(peer.TrySend(stream));
        peer.EndWriting();
        sent.Set();
        await app.UntilAsync(2, "queue", "depth");
        File.WriteAllText(gate, "");
        peer.ReadToEnd();
        await app.UntilAsync(Messages, "jobs", "done");
        File.Delete(gate);
    }

    [Fact]
    public async Task A_million_messages_to_an_app_that_is_fast_all_arrive()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(Core.Manifest.BackendType.Thread) with
        {
            Tasks = ZeroMqApps.Fields("""{ "echo": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" } }""").Tasks,
        });
        using ZeroMqPeer peer = new();
        await peer.OpenAsync("push", "PUSH", app.EndpointOf("echo"));
        long before = MemoryBytes();
        Task<int> flood = peer.FloodAsync("push", 1_000_000, 20_000, Encoding.UTF8.GetBytes("one of a million"));
        Assert.Equal(1_000_000, await flood);
        await app.UntilAsync(1_000_000, "jobs", "done");
        Assert.InRange(MemoryBytes() - before, long.MinValue, 256 << 20);
        Assert.Equal((0, 0), (await app.NumberAsync("jobs", "failed"), await app.NumberAsync("jobs", "rejected")));
    }

    [Fact]
    public async Task A_subscriber_gets_its_topics_as_arrays_of_frames()
    {
        using ZeroMqPeer peer = new();
        int first = await peer.BindAsync("first", "PUB"), second = await peer.BindAsync("second", "PUB");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields($$"""
            { "echo": { "type": "zeromq-subscriber", "topics": ["a", "bc"], "endpoint": ["tcp://lo:{{first}}", "tcp://localhost:{{second}}"] },
              "nothing": { "type": "zeromq-subscriber", "connect": false, "endpoint": "tcp://lo:0" } }
            """, pubsub: true));
        await peer.OpenAsync("sub", "SUB", app.PubsubEndpoints[0], ["fields:echo error"]);
        await UntilHeardAsync(peer, app);

        // The answer is the request, an array: published as what it is, field error.
        await SendUntilHeardAsync("first", "a", [0x92, 0xc4, 1, (byte)'a', 0xc4, 2, 0, 0xff]);
        await SendUntilHeardAsync("second", "bcd", [0x92, 0xc4, 3, (byte)'b', (byte)'c', (byte)'d', 0xc4, 2, 0, 0xff]);
        await peer.SendAsync("first", [(byte)'b'], [0, 0xff]);
        await peer.SendAsync("first", Encoding.ASCII.GetBytes("all"));
        byte[] last;
        do
        {
            last = (await peer.ReceiveAsync("sub"))![1]; // of those that were sent until one was heard, some may still come
        }
        while (last[0] != 0x91);

        Assert.Equal([0x91, 0xc4, 3, (byte)'a', (byte)'l', (byte)'l'], last);
        await peer.OpenAsync("pub", "PUB", app.EndpointOf("nothing"));
        await RepeatAsync(() => peer.SendTextAsync("pub", "anything"), async () => await app.NumberAsync("tasks", "nothing", "received") > 0);

        async Task SendUntilHeardAsync(string socket, string topic, byte[] expected)
        {
            byte[]? heard = null;
            await RepeatAsync(
                () => peer.SendAsync(socket, Encoding.ASCII.GetBytes(topic), [0, 0xff]),
                async () => (heard = (await peer.ReceiveAsync("sub", 20))?[1]) is not null);
            Assert.Equal(expected, heard);
            while (await peer.ReceiveAsync("sub", 200) is not null)
            {
            }
        }
    }

    /// <summary>A subscription takes its time to arrive: publishes until it is heard.</summary>
    private static async Task RepeatAsync(Func<Task> act, Func<Task<bool>> seen)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(30));
        do
        {
            limit.Token.ThrowIfCancellationRequested();
            await act();
        }
        while (!await seen());
    }

    /// <summary>Until the SUB socket has got anything that the engine publishes of this task: its subscription has arrived then.</summary>
    private static async Task UntilHeardAsync(ZeroMqPeer peer, RunningApp app)
    {
        await peer.OpenAsync("probe", "SUB", app.PubsubEndpoints[0], ["fields queue-depth"]);
        Assert.NotNull(await peer.ReceiveAsync("probe")); // connected after the other, so the other's subscription is there too
        await peer.CloseAsync("probe");
    }

    private static async Task<(string Name, string Text)> FieldAsync(ZeroMqPeer peer)
    {
        while (true)
        {
            string[] field = await peer.ReceiveTextAsync("sub");
            string name = field[0].Split(' ')[1];
            if (!name.StartsWith("time-", StringComparison.Ordinal))
            {
                return (name, field[1]);
            }
        }
    }

    private static long MemoryBytes()
    {
        GC.Collect();
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
