using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Client.Tests;

/// <summary>Faults of the caller's own code and values end one call, and no other call of the client.</summary>
public class UserFaultTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_writer_that_throws_ends_its_call_and_no_other()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ThrowingWriter writer = new();
        for (int i = 0; i < 3; i++)
        {
            InvalidOperationException fault = await Assert.ThrowsAsync<InvalidOperationException>(
                () => client.CallAsync("echo", Utf8.Of("x"), writer).AsTask().WaitAsync(Limit));
            Assert.Equal("no room", fault.Message);
            Assert.Equal(Utf8.Of("on"), await client.CallAsync("echo", Utf8.Of("on")).WaitAsync(Limit));
        }
    }

    [Fact]
    public async Task A_request_whose_memory_is_gone_ends_its_call_and_no_other()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        using GoneMemory gone = new();
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => client.CallAsync("echo", gone.Memory, new ArrayBufferWriter<byte>()).AsTask().WaitAsync(Limit));
        Assert.Equal(Utf8.Of("on"), await client.CallAsync("echo", Utf8.Of("on")).WaitAsync(Limit));
    }

    [Fact]
    public async Task A_name_is_bounded_in_bytes_and_the_request_is_never_taken_for_one()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        foreach (string name in (string[])[new string('e', 257), new string('é', 129), new string('e', 1 << 20)])
        {
            await Assert.ThrowsAsync<FormatException>(() => client.CallAsync(name, Utf8.Of("echo")).WaitAsync(Limit));
            Assert.Throws<FormatException>(() => client.Open(name));
        }

        foreach (string name in (string[])[new string('e', 256), new string('é', 128)])
        {
            Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync(name, Utf8.Of("echo")).WaitAsync(Limit))).Code);
        }

        Assert.Equal(Utf8.Of("on"), await client.CallAsync("echo", Utf8.Of("on")).WaitAsync(Limit));
    }

    [Fact]
    public async Task A_chunk_that_the_node_would_not_take_is_refused_before_it_is_sent()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        byte[] tooLong = new byte[(64 << 20) + 1];
        await Assert.ThrowsAsync<ArgumentException>(() => client.CallAsync("echo", tooLong));
        await using ClientCall call = client.Open("echo");
        await Assert.ThrowsAsync<ArgumentException>(async () => await call.WriteAsync(tooLong));
        await call.WriteAsync(Utf8.Of("in pieces"));
        await call.CompleteAsync();
        Assert.Equal(Utf8.Of("in pieces"), (await call.ReadAsync())!.Value.ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-2)]
    [InlineData(900_000_000)]
    public void A_time_out_of_range_is_an_argument_that_is_wrong(int seconds)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new CallOptions { Deadline = TimeSpan.FromSeconds(seconds) });
        Assert.Throws<ArgumentOutOfRangeException>(() => new CallOptions { Timeout = TimeSpan.MaxValue });
    }

    [Fact]
    public async Task An_infinite_time_is_none()
    {
        Assert.Null(new CallOptions { Deadline = Timeout.InfiniteTimeSpan }.Deadline);
        using Socket listener = Listen(backlog: 8);
        foreach (TimeSpan time in new[] { TimeSpan.MaxValue, Timeout.InfiniteTimeSpan })
        {
            await using CocaineClient client = await CocaineClient.ConnectAsync(
                $"tcp://{listener.LocalEndPoint}", new ClientOptions { ConnectTimeout = time });
        }
    }

    [Fact]
    public async Task Cancellations_that_come_as_calls_end_cancel_no_other_call()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(Core.Manifest.BackendType.Thread));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        int cancelled = 0;
        Task[] cancelling = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 1500; i++)
            {
                using CancellationTokenSource source = new();
                Task<byte[]> call = client.CallAsync("echo", Utf8.Of("x"), cancellation: source.Token);
                await Task.Yield(); // the cancellation meets the call at its begin, in its middle or at its end
                source.Cancel();
                try
                {
                    await call.WaitAsync(Limit);
                }
                catch (OperationCanceledException)
                {
                    Interlocked.Increment(ref cancelled);
                }
            }
        }))];
        Task[] innocent = [.. Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (!Array.TrueForAll(cancelling, task => task.IsCompleted))
            {
                Assert.Equal(Utf8.Of("on"), await client.CallAsync("echo", Utf8.Of("on")).WaitAsync(Limit));
            }
        }))];
        await Task.WhenAll([.. cancelling, .. innocent]);
        Assert.InRange(cancelled, 1, 8 * 1500);
    }

    [Fact]
    public async Task Addresses_that_are_silent_or_refuse_hold_up_no_address_that_answers()
    {
        using Socket silent = Silent(out Socket[] fillers), good = Listen(backlog: 8), closed = Listen(backlog: 1);
        EndPoint refuses = closed.LocalEndPoint!;
        closed.Dispose();
        using CancellationTokenSource limit = new(Limit);
        long began = Environment.TickCount64;
        using Socket socket = await Connector.FirstAsync(
            [silent.LocalEndPoint!, silent.LocalEndPoint!, refuses, good.LocalEndPoint!], limit);
        Assert.Equal(good.LocalEndPoint, socket.RemoteEndPoint);
        Assert.InRange(Environment.TickCount64 - began, 400, 5000); // two delays; one address after another takes ten seconds
        Array.ForEach(fillers, filler => filler.Dispose());
    }

    [Fact]
    public async Task An_idle_connection_asks_its_peer_whether_it_lives_on_both_sides()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.CallAsync("echo", Utf8.Of("x"));
        string port = int.Parse(app.Endpoints[0].Endpoint.Split(':')[^1], null).ToString("X4", null);
        string[][] sides = [.. File.ReadLines("/proc/net/tcp").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words[3] == "01" && (words[1] + " " + words[2]).Split(' ', ':').Contains(port))
            .DistinctBy(words => words[9])]; // the inode: the kernel shows a socket twice when others come while its table is read
        Assert.Equal(2, sides.Length);
        Assert.All(sides, words => Assert.StartsWith("02:", words[5])); // the timer of proc(5): keepalive
    }

    private static Socket Listen(int backlog)
    {
        Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(backlog);
        return listener;
    }

    /// <summary>A listener whose queue is full: the kernel answers no further connection.</summary>
    private static Socket Silent(out Socket[] fillers)
    {
        Socket listener = Listen(backlog: 0);
        fillers = [.. Enumerable.Range(0, 8).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))];
        foreach (Socket filler in fillers)
        {
            filler.Blocking = false;
            Assert.Throws<SocketException>(() => filler.Connect(listener.LocalEndPoint!)); // it is under way
        }

        return listener;
    }

    private sealed class ThrowingWriter : IBufferWriter<byte>
    {
        public void Advance(int count)
        {
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => throw new InvalidOperationException("no room");

        public Span<byte> GetSpan(int sizeHint = 0) => throw new InvalidOperationException("no room");
    }

    /// <summary>Memory that was given back before the call reads it.</summary>
    private sealed class GoneMemory : MemoryManager<byte>
    {
        public override Memory<byte> Memory => CreateMemory(8);

        public override Span<byte> GetSpan() => throw new ObjectDisposedException(nameof(GoneMemory));

        public override MemoryHandle Pin(int elementIndex = 0) => throw new ObjectDisposedException(nameof(GoneMemory));

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
