using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Drivers.Tests.ZeroMq.Wire;
using Cocaine.Fast.Drivers.ZeroMq;
using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using static Cocaine.Fast.Drivers.Tests.ZeroMq.Wire.WireBytes;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>Peers that break the protocol at every kind of ZeroMQ port: the node closes them, and nothing else happens.</summary>
[Collection(nameof(Alone))]
public sealed class HostilePeersTests
{
    private const string Tasks = """
        { "echo": { "type": "zeromq-server", "endpoint": "tcp://lo:0" },
          "nothing": { "type": "zeromq-sink", "endpoint": "tcp://lo:0" },
          "many": { "type": "server+lsd", "endpoint": "tcp://lo:0" },
          "old": { "type": "native-server", "transport": "zeromq", "endpoint": "tcp://lo:0" },
          "older": { "type": "native-sink", "transport": "zeromq", "endpoint": "tcp://lo:0" },
          "bound": { "type": "zeromq-subscriber", "connect": false, "endpoint": "tcp://lo:0" } }
        """;

    /// <summary>A property with a negative length; a command without a byte; no greeting; a frame of a negative length, and a huge one.</summary>
    private static byte[][] Killers(string peer) =>
    [
        [.. Greeting(), .. Command([.. Name("READY"), .. Name("Socket-Type"), 0xff, 0xff, 0xff, 0xff])],
        [.. Third(peer), 4, 0],
        "GET / HTTP/1.1\r\n\r\n"u8.ToArray(),
        [.. Third(peer), 2, .. Long(-1)],
        [.. Third(peer), 2, .. Long(1L << 40)],
    ];

    [Fact]
    public async Task Bytes_that_break_the_protocol_close_their_connection_on_every_port()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks, pubsub: true));
        using ZeroMqPeer good = new();
        await good.OpenAsync("req", "REQ", app.EndpointOf("echo"));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        JsonControlSocket control = new(new ClosingSockets(), loop, new LogLines(), static (request, _) => Task.FromResult(request), TimeSpan.FromSeconds(10));
        await loop.RunAsync(() => control.Open("tcp://127.0.0.1:0"));
        (string Endpoint, string Peer)[] ports =
        [
            .. app.Endpoints.Where(at => at.Endpoint.Contains("127.0.0.1")).Select(at => (at.Endpoint, PeerOf(at.Task))),
            (app.PubsubEndpoints[0], "SUB"), (control.Endpoints[0], "DEALER"),
        ];
        Assert.Equal(8, ports.Length);
        foreach ((string endpoint, string type) in ports)
        {
            foreach (byte[] bytes in Killers(type))
            {
                using WirePeer bad = new(endpoint);
                bad.TrySend(bytes);
                bad.ReadToEnd();
            }

            await good.SendTextAsync("req", "still there");
            Assert.Equal(["still there"], await good.ReceiveTextAsync("req"));
        }

        Assert.Equal(Killers("").Length, await app.NumberAsync("tasks", "echo", "refused-peers"));
        Assert.Contains("fields/echo: 127.0.0.1:", node.Log);
        Assert.Contains("was disconnected: READY has a property that does not end (1 refused so far)", node.Log);
        await good.OpenAsync("control", "REQ", control.Endpoints[0]);
        await good.SendTextAsync("control", "ask");
        Assert.Equal(["ask"], await good.ReceiveTextAsync("control"));
        await loop.RunAsync(control.Close);
    }

    /// <summary>The publisher is the bad one: whoever listens to it closes the connection, and connects again.</summary>
    [Fact]
    public async Task A_publisher_that_breaks_the_protocol_is_left_and_asked_again()
    {
        using TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        string endpoint = $"tcp://{server.LocalEndpoint}";
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(
            $$"""{ "nothing": { "type": "zeromq-subscriber", "endpoint": "{{endpoint}}" } }"""));
        await BreakAsync(server, "PUB");
        using Socket publisher = await server.AcceptSocketAsync().WaitAsync(TimeSpan.FromSeconds(20));
        await publisher.SendAsync((byte[])[.. Third("PUB"), .. Message("topic"u8.ToArray(), "text"u8.ToArray())]);
        await app.UntilAsync(1, "jobs", "done");
        Assert.Equal(Killers("").Length, await app.NumberAsync("tasks", "nothing", "refused-peers"));
    }

    [Fact]
    public async Task A_watching_client_outlives_a_publisher_that_breaks_the_protocol()
    {
        using TcpListener server = new(IPAddress.Loopback, 0);
        server.Start();
        using SubscriberClient client = new($"tcp://{server.LocalEndpoint}", "a");
        await BreakAsync(server, "PUB");
        using Socket publisher = await server.AcceptSocketAsync().WaitAsync(TimeSpan.FromSeconds(20));
        byte[] messages = [.. Message("other"u8.ToArray(), "no"u8.ToArray()), .. Message("a"u8.ToArray(), "b"u8.ToArray(), "c"u8.ToArray())];
        await publisher.SendAsync((byte[])[.. Third("PUB"), .. messages, .. Message("a topic"u8.ToArray(), "text"u8.ToArray())]);
        (string topic, byte[] value) = await client.Messages.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(("a topic", "text"), (topic, Encoding.UTF8.GetString(value)));
    }

    [Fact]
    public async Task An_address_has_so_many_connections_and_a_subscriber_so_many_topics()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks, pubsub: true));
        WirePeer[] peers = [.. Enumerable.Range(0, 1024).Select(_ => new WirePeer(app.EndpointOf("echo"), from: 9))];
        using WirePeer more = new(app.EndpointOf("echo"), from: 9);
        Assert.Empty(more.ReadToEnd());
        Assert.Contains("its address has 1024 connections", node.Log);
        Array.ForEach(peers, peer => peer.Dispose());
        byte[][] bad =
        [
            [.. Third("SUB"), .. Message([1, .. new byte[1025]])],
            [.. Third("SUB", minor: 1), .. Command([.. Name("SUBSCRIBE"), .. new byte[1025]])],
            [.. Third("SUB"), .. Enumerable.Range(0, 257).SelectMany(i => Message([1, (byte)i, (byte)(i >> 8)]))],
            [.. Third("SUB"), .. Message([1, .. new byte[2000]])],
        ];
        foreach (byte[] bytes in bad)
        {
            using WirePeer peer = new(app.PubsubEndpoints[0]);
            peer.TrySend(bytes);
            peer.ReadToEnd();
        }

        using WirePeer good = new(app.PubsubEndpoints[0]);
        byte[] same = [.. Enumerable.Range(0, 1000).SelectMany(_ => Message("\u0001fields jobs-done"u8.ToArray()))];
        Assert.True(good.TrySend([.. Third("SUB"), .. same]));
        good.Read(Third("PUB").Length + 10);
    }

    [Fact]
    public async Task Half_a_handshake_and_half_a_message_end_in_time()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks, pubsub: true));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        await loop.RunAsync(() => loop.Partials.StallMs = 500);
        byte[] whole = Third("DEALER");
        byte[][] begins = [[], whole[..5], whole[..10], whole[..11], whole[..64], whole[..70], [.. whole, 0], [.. whole, 1, 0, 0, 9, 1]];
        using WirePeer silent = new(app.EndpointOf("echo"));
        Assert.True(silent.TrySend(whole)); // a peer that has nothing to say is no offence
        WirePeer[] peers = [.. begins.Select(begin =>
        {
            WirePeer peer = new(app.EndpointOf("echo"));
            peer.TrySend(begin);
            return peer;
        })];
        foreach (WirePeer peer in peers)
        {
            peer.ReadToEnd();
            peer.Dispose();
        }

        Assert.Equal(begins.Length, await app.NumberAsync("tasks", "echo", "refused-peers"));
        Assert.Contains("the handshake was not made in time", node.Log);
        Assert.True(silent.TrySend(Message([], "hello"u8.ToArray())));
        byte[] answer = Message([], "hello"u8.ToArray());
        int handshake = Third("ROUTER").Length;
        Assert.Equal(answer, silent.Read(handshake + answer.Length)[handshake..]);
    }

    /// <summary>A length that is merely announced costs nothing, and the bytes that came are bounded for all peers together.</summary>
    [Fact]
    public async Task A_flood_of_half_messages_stays_within_its_memory()
    {
        const int Announcing = 200, Sending = 40, SizeBytes = 10 << 20;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks, pubsub: true));
        EventLoop loop = (EventLoop)app.Engine.Loop;
        byte[] begin = [.. Third("PUSH"), 2, .. Long(64 << 20), 1];
        WirePeer[] announcing = [.. Enumerable.Range(0, Announcing).Select(_ => new WirePeer(app.EndpointOf("nothing")))];
        Assert.All(announcing, peer => Assert.True(peer.TrySend(begin)));
        await UntilAsync(loop, held => held == Announcing * BufferPool.BlockSizeBytes);
        byte[] part = new byte[SizeBytes];
        WirePeer[] sending = [.. Enumerable.Range(0, Sending).Select(_ => new WirePeer(app.EndpointOf("nothing"), from: 2))];
        await Task.WhenAll(sending.Select(peer => Task.Run(() => peer.TrySend(begin) && peer.TrySend(part))));
        await UntilAsync(loop, held => held is > 100 << 20 and <= PartialMessages.UsualMaxBytes);
        Assert.InRange(await app.NumberAsync("tasks", "nothing", "refused-peers"), 1, Sending);
        Array.ForEach([.. announcing, .. sending], peer => peer.Dispose());
        await UntilAsync(loop, held => held == 0);
    }

    /// <summary>Tens of thousands of connections with broken streams, while a client is served as if they were not there.</summary>
    [Fact]
    public async Task Broken_streams_over_sockets_disturb_nobody_and_leave_no_memory()
    {
        const int Streams = 30_000, Threads = 4, Seed = 712;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(ZeroMqApps.Fields(Tasks, pubsub: true));
        string[] ports = [.. app.Endpoints.Select(at => at.Endpoint).Where(at => at.Contains("127.0.0.1")), app.PubsubEndpoints[0]];
        EventLoop loop = (EventLoop)app.Engine.Loop;
        using ZeroMqPeer good = new();
        await good.OpenAsync("req", "REQ", app.EndpointOf("echo"));
        long before = 0, asked = 0;
        using CancellationTokenSource done = new();
        Task serving = Task.Run(async () =>
        {
            for (; !done.IsCancellationRequested; asked++)
            {
                await good.SendTextAsync("req", $"ask {asked}");
                Assert.Equal([$"ask {asked}"], await good.ReceiveTextAsync("req"));
            }
        });
        ConcurrentBag<Exception> faults = [];
        for (int round = 0; round < 3; round++)
        {
            Thread[] threads = [.. Enumerable.Range(0, Threads).Select(number => new Thread(() => Run(number + (Threads * round))))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            if (round == 0)
            {
                before = MemoryBytes();
            }
        }

        await done.CancelAsync();
        await serving;
        Assert.Empty(faults);
        Assert.InRange(asked, 100, long.MaxValue);
        Assert.InRange(MemoryBytes() - before, long.MinValue, 24 << 20);
        await UntilAsync(loop, held => held == 0);
        Assert.DoesNotContain("a handler failed", node.Log);

        void Run(int number)
        {
            StreamMutator mutator = new(Seed + number);
            try
            {
                for (int i = 0; i < Streams / Threads / 3; i++)
                {
                    using WirePeer peer = new(ports[mutator.Random.Next(ports.Length)], (byte)(2 + number));
                    peer.TrySend(mutator.Next());
                    peer.EndWriting();
                    peer.ReadToEnd();
                }
            }
            catch (Exception fault)
            {
                faults.Add(fault);
            }
        }
    }

    private static string PeerOf(string task) => task switch
    {
        "nothing" or "older" => "PUSH",
        "bound" => "PUB",
        _ => "DEALER",
    };

    /// <summary>Each kind of broken bytes on a connection of its own.</summary>
    private static async Task BreakAsync(TcpListener server, string type)
    {
        foreach (byte[] bytes in Killers(type))
        {
            using Socket bad = await server.AcceptSocketAsync().WaitAsync(TimeSpan.FromSeconds(20));
            await bad.SendAsync(bytes);
            using CancellationTokenSource limit = new(TimeSpan.FromSeconds(20));
            byte[] heard = new byte[1024];
            try
            {
                while (await bad.ReceiveAsync(heard, limit.Token) > 0)
                {
                }
            }
            catch (SocketException failure) when (failure.SocketErrorCode == SocketError.ConnectionReset)
            {
                // closed with bytes that were not read
            }
        }
    }

    private static async Task UntilAsync(EventLoop loop, Func<long, bool> isRight)
    {
        long held = -1, limit = Stopwatch.GetTimestamp() + (20 * Stopwatch.Frequency);
        do
        {
            Assert.True(Stopwatch.GetTimestamp() < limit, $"{held} bytes are held");
            await loop.RunAsync(() => held = loop.Partials.TotalBytes);
        }
        while (!isRight(held));
    }

    private static long MemoryBytes()
    {
        GC.Collect();
        using Process self = Process.GetCurrentProcess();
        return self.WorkingSet64;
    }
}
