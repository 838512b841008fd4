using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Memory;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>A worker holds no more of its streamed requests than its bound while their handlers do not read them.</summary>
public class UnreadTests
{
    private const int Chunks = 64;

    private static readonly byte[] Chunk = new byte[1 << 20];

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static TheoryData<BackendType, string> Backends => DotNetApps.Backends;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_that_does_not_read_holds_the_node_back_until_it_reads(bool onRings)
    {
        using BareWorker worker = BareWorker.Start(onRings, typeof(Holding));
        Fill(worker, "sum");
        Holding.Open(worker.Uuid);
        worker.Until(() => worker.HasEnded(2));
        Assert.Equal($"holding{(long)Chunks * Chunk.Length}", worker.Answer(2));
        worker.Terminate();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_handler_that_ends_without_reading_lets_the_node_go_on(bool onRings)
    {
        using BareWorker worker = BareWorker.Start(onRings, typeof(Holding));
        Fill(worker, "leaves");
        Holding.Open(worker.Uuid);
        worker.Until(() => worker.HasEnded(2));
        worker.Invoke(3, "echo");
        worker.Send(3, Encoding.UTF8.GetBytes("behind it"));
        worker.Close(3);
        worker.Until(() => worker.HasEnded(3));
        Assert.Equal(("holding", "behind it"), (worker.Answer(2), worker.Answer(3)));
        worker.Terminate();
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task A_long_request_comes_whole_to_a_handler_that_reads_late(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Gated", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string path = Path.Combine(Path.GetTempPath(), $"gate-{Guid.NewGuid():N}");
        using Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        await using ClientCall call = client.Open("sum");
        await call.WriteAsync(Encoding.UTF8.GetBytes(path));
        using Socket gate = await listener.AcceptAsync().WaitAsync(Limit);
        File.Delete(path);
        bool isOpen = false;
        for (int i = 0; i < Chunks; i++)
        {
            Task write = call.WriteAsync(Chunk).AsTask();
            if (!isOpen && !write.IsCompleted)
            {
                isOpen = true; // it waits for the handler
                await gate.SendAsync(new byte[1]);
            }

            await write.WaitAsync(Limit);
        }

        Assert.True(isOpen);

        await call.CompleteAsync();
        ReadOnlyMemory<byte>? answer = await call.ReadAsync().AsTask().WaitAsync(Limit);
        Assert.Equal($"{(long)Chunks * Chunk.Length}", Encoding.UTF8.GetString(answer!.Value.Span));
    }

    [Fact]
    public void A_stream_needs_memory_for_what_waits_however_long_it_is()
    {
        ArrivedChunks chunks = new(new BlockPool());
        byte[] next = new byte[Chunk.Length];
        for (int i = 0; i < 2500; i++) // more than an array can have
        {
            next[0] = (byte)i;
            chunks.Add(new Payload(next));
            if (i > 0)
            {
                Assert.True(chunks.TryTake(out ReadOnlyMemory<byte> taken));
                Assert.Equal((next.Length, (byte)(i - 1)), (taken.Length, taken.Span[0]));
                Assert.Equal(next.Length, chunks.WaitingBytes);
            }
        }
    }

    [Fact]
    public void A_go_on_of_another_thread_is_dropped_when_the_request_is_held_again_before_the_loop_hears_of_it()
    {
        UnreadRequest? request = null;
        List<bool> told = [];
        LoopInbox inbox = new(new NoBell(), new LoopSeat(), (in LoopCall _) => request!.TellGoOn());
        request = new UnreadRequest(new UnreadBytes(inbox, (_, hold) => told.Add(hold)) { HasFlow = true });
        request.Begin(2, isStream: true);
        request.Look(Limits.HoldBytes + 1, isOver: false);
        ReadElsewhere(); // the node is still asked to hold, and chunks are on the way
        request.Look(Limits.HoldBytes + 1, isOver: false);
        inbox.Run();
        Assert.Equal([true, true], told);
        ReadElsewhere();
        inbox.Run();
        Assert.Equal([true, true, false], told);

        void ReadElsewhere()
        {
            Thread reader = new(() => request.OnRead(1, Limits.GoOnBytes - 1, isEnded: false, isOnLoop: false));
            reader.Start();
            reader.Join();
        }
    }

    /// <summary>Sends a long request to a handler that waits, until the worker takes no more of it.</summary>
    private static void Fill(BareWorker worker, string name)
    {
        worker.Invoke(2, name);
        worker.Until(() => worker.Answer(2) == "holding");
        for (int i = 0; i < Chunks; i++)
        {
            worker.Send(2, Chunk);
        }

        worker.Close(2);
        int least = int.MaxValue, beats = 0, idle = 0; // idle: turns with a heartbeat in which it took nothing
        worker.Until(() =>
        {
            idle = worker.Unsent < least ? 0 : worker.Heartbeats > beats ? idle + 1 : idle;
            (least, beats) = (Math.Min(least, worker.Unsent), worker.Heartbeats);
            return worker.Unsent == 0 || idle > 20;
        });
        Assert.InRange(least, Chunks / 2 * Chunk.Length, (Chunks * Chunk.Length) - Limits.UnreadBytes);
    }

    private sealed class NoBell : Core.Rings.Doorbell
    {
        public override void Ring()
        {
        }
    }
}
