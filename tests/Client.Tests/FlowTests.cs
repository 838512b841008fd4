using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Threading;
using Cocaine.Fast.Transport.Loop;
using CsCheck;

namespace Cocaine.Fast.Client.Tests;

/// <summary>Streams that pause beside quick calls on the same connection, against a real node.</summary>
public class FlowTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(1, 256 << 10, 1)]
    [InlineData(1, 1 << 20, 1)]
    [InlineData(1, 64 << 20, 1)]
    [InlineData(10, 256 << 10, 1)]
    [InlineData(10, 1 << 20, 1)]
    [InlineData(10, 64 << 20, 1)]
    [InlineData(1, 256 << 10, 16)]
    [InlineData(1, 1 << 20, 16)]
    [InlineData(1, 30 << 20, 16)]
    [InlineData(10, 1 << 20, 16)]
    public async Task A_call_within_the_reading_of_streams_is_answered_at_once(int streams, int bytes, int concurrency)
    {
        EngineSettings engine = new() { Concurrency = concurrency, PoolLimit = concurrency > 1 ? 1 : streams + 1, QueueLimit = 1000 };
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ClientCall[] calls = [.. Enumerable.Range(0, streams).Select(_ => client.Open("blob"))];
        foreach (ClientCall call in calls)
        {
            await AskAsync(call, bytes);
        }

        long[] sums = await Task.WhenAll(calls.Select(call => Task.Run(async () =>
        {
            long sum = 0;
            int chunks = 0;
            await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
            {
                sum += chunk.Length;
                if (chunks++ % 64 == 0)
                {
                    for (int i = 0; i < 10; i++)
                    {
                        Assert.Equal("x"u8.ToArray(), await client.CallAsync("echo", Utf8.Of("x")));
                    }
                }
            }

            return sum;
        }))).WaitAsync(Limit);
        Assert.All(sums, sum => Assert.Equal(bytes, sum));
        foreach (ClientCall call in calls)
        {
            await call.DisposeAsync();
        }
    }

    /// <summary>Over a Unix socket, whose buffers are small: what is in the buffers of TCP when a stream pauses comes nevertheless.</summary>
    [Fact]
    public async Task Streams_that_nobody_reads_cost_little_memory_and_keep_every_byte()
    {
        const int Streams = 10, Bytes = 100_000_000, PerStreamBytes = 4 << 20;
        await using TestNode node = TestNode.Start();
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(OnUnixSocket(TestApps.DotNet(BackendType.Process, Single(Streams + 1)), folder));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        ClientCall[] calls = [.. Enumerable.Range(0, Streams).Select(_ => client.Open("blob"))];
        foreach (ClientCall call in calls)
        {
            await AskAsync(call, Bytes);
        }

        await app.UntilAsync(info => info.GetProperty("tasks").GetProperty("event").GetProperty("held-bytes").GetInt64() > Streams * (256 << 10));
        for (int i = 0; i < 300; i++)
        {
            Assert.Equal("x"u8.ToArray(), await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
        }

        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, Streams * PerStreamBytes); // of client and node
        foreach (ClientCall call in calls.Reverse())
        {
            long sum = 0;
            await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
            {
                sum += chunk.Length;
            }

            Assert.Equal(Bytes, sum);
            await call.DisposeAsync();
        }
    }

    /// <summary>Over a Unix socket, as above.</summary>
    [Fact]
    public async Task A_request_that_its_handler_reads_late_holds_nobody_back()
    {
        const int Chunks = 120;
        byte[] chunk = new byte[1 << 20];
        await using TestNode node = TestNode.Start();
        using TestFolder folder = new();
        RunningApp app = await node.AddAsync(OnUnixSocket(GatedApp.Manifest(BackendType.Process, Single(2)), folder));
        using GatedApp gate = new();
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using ClientCall call = client.Open("sum");
        await call.WriteAsync(gate.Path);
        await gate.AwaitHandlerAsync();
        long before = GC.GetTotalMemory(forceFullCollection: true);
        int written = 0;
        Task writing = Task.Run(async () =>
        {
            for (; written < Chunks; written++)
            {
                await call.WriteAsync(chunk);
            }

            await call.CompleteAsync();
        });
        for (int last = -1; last != Volatile.Read(ref written) || last < 1;) // until 300 calls go by without a write
        {
            last = Volatile.Read(ref written);
            for (int i = 0; i < 300; i++)
            {
                CocaineException unknown = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("none", Utf8.Of("x")).WaitAsync(Limit));
                Assert.Equal(404, unknown.Code);
            }
        }

        Assert.InRange(written, 1, Chunks / 2);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 32 << 20);
        gate.Open();
        await writing.WaitAsync(Limit);
        ReadOnlyMemory<byte>? answer = await call.ReadAsync();
        Assert.Equal($"{(long)Chunks * chunk.Length}", Encoding.UTF8.GetString(answer!.Value.Span));
    }

    [Theory]
    [InlineData("dispose")]
    [InlineData("cancel")]
    [InlineData("deadline")]
    [InlineData("loss")]
    public async Task A_stream_that_is_held_ends_as_others_do(string how)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, Single(1)));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        using CancellationTokenSource stop = new();
        CallOptions options = new() { Deadline = how == "deadline" ? TimeSpan.FromSeconds(5) : null };
        ClientCall call = client.Open("blob", options, stop.Token);
        await AskAsync(call, 100_000_000);
        await app.UntilAsync(info => info.GetProperty("tasks").GetProperty("event").GetProperty("held-bytes").GetInt64() > 256 << 10);
        Task<byte[]> behind = client.CallAsync("echo", Utf8.Of("x")); // waits for the only slave
        switch (how)
        {
            case "dispose":
                await call.DisposeAsync();
                await Assert.ThrowsAsync<ObjectDisposedException>(async () => await call.ReadAsync());
                break;
            case "cancel":
                await stop.CancelAsync();
                Assert.IsAssignableFrom<OperationCanceledException>(await EndOfAsync(call));
                break;
            case "deadline":
                Assert.Equal("x"u8.ToArray(), await behind.WaitAsync(Limit)); // the node has ended the job
                Assert.Equal(520, Assert.IsType<CocaineException>(await EndOfAsync(call)).Code);
                break;
            default:
                await node.Node.StopAsync(TimeSpan.Zero);
                Assert.IsType<ConnectionLostException>(await EndOfAsync(call));
                await Assert.ThrowsAnyAsync<Exception>(() => behind.WaitAsync(Limit));
                return;
        }

        Assert.Equal("x"u8.ToArray(), await behind.WaitAsync(Limit));
        await app.UntilInfoShowsAsync("\"held-bytes\":0");
        await app.UntilInfoShowsAsync("\"running\":0");
        await call.DisposeAsync();
    }

    /// <summary>
    /// Streams that pause and go on, and others that are given up, at random. A reader gets the bytes that were written, in order, and all
    /// of them unless it has given up.
    /// </summary>
    [Fact]
    public async Task Streams_that_pause_at_random_lose_no_byte()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Process, Single(4)));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        byte[] source = RandomNumberGenerator.GetBytes(1 << 20);
        await Plans.Array[1, 12].SampleAsync(async plans =>
        {
            await Task.WhenAll(plans.Select(plan => RunAsync(client, source, plan))).WaitAsync(Limit);
            Assert.Equal("x"u8.ToArray(), await client.CallAsync("echo", Utf8.Of("x")).WaitAsync(Limit));
        }, iter: 30, threads: 1);
        await app.UntilInfoShowsAsync("\"held-bytes\":0");
        await app.UntilInfoShowsAsync("\"running\":0");
        await ((EventLoop)app.Engine.Loop).RunAsync(() => Assert.True(app.Engine.Counters.Holds(0, 0)));
    }

    private static readonly Gen<Plan> Plans = Gen.Select(
        Gen.Int[0, 6 << 20], Gen.OneOf(Gen.Int[1, 2000], Gen.Int[10_000, 500_000]), Gen.Int[0, 40], Gen.Int[0, 1 << 20], Gen.Enum<Ending>(), Gen.Int[0, 1 << 20],
        (bytes, chunk, pauses, every, ending, at) => new Plan(bytes, Math.Max(chunk, bytes / 2000), pauses, every, ending, at));

    /// <summary>How the reader of a stream ends it.</summary>
    private enum Ending
    {
        Reads,
        ReadsAll,
        Disposes,
        Cancels,
        Deadline,
    }

    /// <param name="Bytes">Length of the request, which comes back as the answer.</param>
    /// <param name="ChunkBytes">Length of its chunks.</param>
    /// <param name="Pause">Quick calls for which the reader pauses.</param>
    /// <param name="EveryBytes">Bytes after which it pauses.</param>
    /// <param name="Ending">How it ends.</param>
    /// <param name="EndAt">Bytes after which it gives the call up, if it does.</param>
    private sealed record Plan(int Bytes, int ChunkBytes, int Pause, int EveryBytes, Ending Ending, int EndAt);

    private static async Task RunAsync(CocaineClient client, byte[] source, Plan plan)
    {
        using CancellationTokenSource stop = new();
        TimeSpan? deadline = plan.Ending == Ending.Deadline ? TimeSpan.FromMilliseconds(1 + (plan.EndAt % 200)) : null;
        ClientCall call = client.Open("echo", new CallOptions { Deadline = deadline }, stop.Token);
        Task writing = Task.Run(async () =>
        {
            for (int at = 0; at < plan.Bytes; at += plan.ChunkBytes)
            {
                int from = at % (source.Length / 2);
                await call.WriteAsync(source.AsMemory(from, Math.Min(plan.ChunkBytes, plan.Bytes - at)));
            }

            await call.CompleteAsync();
        }).ContinueWith(
            done => Assert.True(done.IsCompletedSuccessfully || done.Exception!.InnerException is ObjectDisposedException, $"{done.Exception}"),
            TaskScheduler.Default);
        int read = 0, paused = 0, chunkAt = 0, inChunk = 0;
        bool givesUp = plan.Ending is Ending.Disposes or Ending.Cancels;
        try
        {
            while (!(givesUp && read >= plan.EndAt) && await call.ReadAsync() is { } chunk)
            {
                for (int at = 0; at < chunk.Length;) // a chunk may come back in pieces
                {
                    int length = Math.Min(chunk.Length - at, Math.Min(plan.ChunkBytes, plan.Bytes - chunkAt) - inChunk);
                    Assert.True(chunk.Span.Slice(at, length).SequenceEqual(source.AsSpan((chunkAt % (source.Length / 2)) + inChunk, length)));
                    (at, inChunk) = (at + length, inChunk + length);
                    if (inChunk == plan.ChunkBytes)
                    {
                        (chunkAt, inChunk) = (chunkAt + plan.ChunkBytes, 0);
                    }
                }

                read += chunk.Length;
                if (read - paused > plan.EveryBytes)
                {
                    paused = read;
                    for (int i = 0; i < plan.Pause; i++)
                    {
                        await client.InfoAsync();
                    }
                }
            }

            Assert.True(givesUp || read == plan.Bytes, $"{read} of {plan.Bytes} bytes");
            if (plan.Ending == Ending.Cancels)
            {
                await stop.CancelAsync();
            }
        }
        catch (CocaineException late) when (plan.Ending == Ending.Deadline && late.Code == 520)
        {
            Assert.InRange(read, 0, plan.Bytes);
        }

        ValueTask disposing = plan.Ending == Ending.ReadsAll ? default : call.DisposeAsync();
        await writing; // also when the call has ended
        await disposing;
        await call.DisposeAsync();
    }

    /// <summary>Reads a call to its error.</summary>
    private static async Task<Exception> EndOfAsync(ClientCall call)
    {
        try
        {
            while (await call.ReadAsync().AsTask().WaitAsync(Limit) is not null)
            {
            }
        }
        catch (Exception failure) when (failure is not Xunit.Sdk.XunitException)
        {
            return failure;
        }

        throw new InvalidOperationException("the call has ended without an error");
    }

    private static AppManifest OnUnixSocket(AppManifest app, TestFolder folder) =>
        app with { Tasks = [app.Tasks[0] with { Endpoints = [$"ipc://{folder["app.sock"]}"] }] };

    private static EngineSettings Single(int slaves) => new() { Concurrency = 1, PoolLimit = slaves, QueueLimit = 1000 };

    private static async Task AskAsync(ClientCall call, int bytes)
    {
        await call.WriteAsync(Encoding.UTF8.GetBytes(bytes.ToString(CultureInfo.InvariantCulture)));
        await call.CompleteAsync();
    }
}
