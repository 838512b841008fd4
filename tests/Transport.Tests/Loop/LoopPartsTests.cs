using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Transport.Tests.Loop;

/// <summary>The parts of a loop by themselves: its handlers, its tasks, its posted work and its buffers.</summary>
public sealed class LoopPartsTests
{
    [Fact]
    public void An_event_of_a_handler_that_is_gone_finds_nobody_and_not_the_one_in_its_place()
    {
        HandlerTable table = new();
        Silent first = new(), second = new();
        ulong old = table.Add(first);
        table.Remove(first);
        Assert.Null(table.Find(old));
        ulong now = table.Add(second);
        Assert.Null(table.Find(old));
        Assert.Same(second, table.Find(now));
        Assert.Null(table.Find(HandlerTable.WakeData));
        Assert.Null(table.Find(now + 1)); // a place that nobody ever had
    }

    [Fact]
    public void A_table_that_grows_keeps_its_handlers()
    {
        HandlerTable table = new();
        Silent[] handlers = [.. Enumerable.Range(0, 1000).Select(_ => new Silent())];
        ulong[] data = [.. handlers.Select(table.Add)];
        Assert.Equal(1000, data.Distinct().Count());
        Assert.All(data.Zip(handlers), pair => Assert.Same(pair.Second, table.Find(pair.First)));
    }

    [Fact]
    public void Tasks_run_once_in_the_order_in_which_they_were_asked_for_first()
    {
        TurnList list = new();
        List<int> ran = [];
        AtTurnEnd[] tasks = [.. Enumerable.Range(0, 100).Select(i => new AtTurnEnd(() => ran.Add(i)))];
        foreach (AtTurnEnd task in tasks.Concat(tasks))
        {
            list.Add(task);
        }

        Assert.Equal(100, list.Count);
        list.RunAll();
        Assert.Equal(Enumerable.Range(0, 100), ran);
        Assert.False(list.Any);
    }

    [Fact]
    public void A_task_that_adds_itself_waits_for_the_next_turn()
    {
        TurnList list = new();
        int runs = 0;
        AtTurnEnd? again = null;
        again = new AtTurnEnd(() =>
        {
            runs++;
            list.Add(again!);
        });
        list.Add(again);
        list.RunAll();
        Assert.Equal((1, true), (runs, list.Any));
        list.RunAll();
        Assert.Equal(2, runs);
    }

    [Fact]
    public void A_fault_in_one_task_loses_no_other_and_is_not_run_again()
    {
        TurnList list = new();
        List<string> ran = [];
        list.Add(new AtTurnEnd(() => ran.Add("before")));
        list.Add(new AtTurnEnd(() => throw new InvalidOperationException("a fault")));
        list.Add(new AtTurnEnd(() => ran.Add("after")));
        Assert.Throws<InvalidOperationException>(list.RunAll);
        list.RunAll();
        Assert.Equal(["before", "after"], ran);
        Assert.False(list.Any);
    }

    [Fact]
    public void Work_of_many_threads_runs_once_and_in_the_order_of_each()
    {
        const int Threads = 4, Each = 20_000;
        WorkQueue queue = new();
        int[] next = new int[Threads];
        int ran = 0;
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(thread => new Thread(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                int number = i;
                queue.Add(new ActionWork(() =>
                {
                    Assert.Equal(next[thread]++, number);
                    ran++;
                }));
            }
        }))];
        Array.ForEach(threads, thread => thread.Start());
        while (ran < Threads * Each)
        {
            queue.RunAll(fault => Assert.Fail($"{fault}"));
        }

        Array.ForEach(threads, thread => thread.Join());
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public void Only_the_first_work_in_an_empty_queue_has_to_wake_the_loop()
    {
        WorkQueue queue = new();
        Assert.True(queue.Add(new ActionWork(() => { })));
        Assert.False(queue.Add(new ActionWork(() => { })));
        queue.RunAll(_ => { });
        Assert.True(queue.Add(new ActionWork(() => { })));
    }

    [Fact]
    public void Work_may_be_posted_again_while_it_runs_and_waits_for_the_next_turn()
    {
        WorkQueue queue = new();
        int runs = 0;
        LoopWork? again = null;
        again = new ActionWork(() =>
        {
            runs++;
            queue.Add(again!);
        });
        queue.Add(again);
        queue.Add(new ActionWork(() => throw new InvalidOperationException("a fault")));
        List<string> faults = [];
        queue.RunAll(fault => faults.Add(fault.Message));
        Assert.Equal((1, false), (runs, queue.IsEmpty));
        queue.RunAll(fault => faults.Add(fault.Message));
        Assert.Equal(2, runs);
        Assert.Equal(["a fault"], faults);
    }

    [Fact]
    public void Blocks_in_use_are_apart_and_one_that_is_given_back_twice_is_lent_once()
    {
        BufferPool pool = new();
        System.Buffers.IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, 200).Select(i => pool.Rent(i % 10 == 0 ? BufferPool.BlockSizeBytes + 1 : -1))];
        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.Equal(i % 10 == 0 ? BufferPool.LargeBlockSizeBytes : BufferPool.BlockSizeBytes, blocks[i].Memory.Length);
            blocks[i].Memory.Span.Fill((byte)i);
        }

        for (int i = 0; i < blocks.Length; i++)
        {
            Assert.Equal(-1, blocks[i].Memory.Span.IndexOfAnyExcept((byte)i));
        }

        int made = pool.BlockCount;
        blocks[1].Dispose();
        blocks[1].Dispose();
        using System.Buffers.IMemoryOwner<byte> one = pool.Rent(), two = pool.Rent();
        Assert.NotSame(one, two);
        Assert.Equal(made, pool.BlockCount);
    }

    [Fact]
    public async Task A_pipe_that_comes_back_is_empty_and_used_again()
    {
        BufferPool pool = new();
        System.IO.Pipelines.Pipe pipe = pool.RentPipe();
        await pipe.Writer.WriteAsync("hello"u8.ToArray());
        System.IO.Pipelines.ReadResult read = await pipe.Reader.ReadAsync();
        pipe.Reader.AdvanceTo(read.Buffer.End);
        pool.ReturnPipe(pipe);
        int made = pool.BlockCount;
        Assert.Same(pipe, pool.RentPipe());
        Assert.False(pipe.Reader.TryRead(out _));
        Assert.Equal(made, pool.BlockCount);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(BufferPool.LargeBlockSizeBytes)]
    public void After_a_burst_a_bound_of_memory_is_kept_and_the_rest_is_given_back(int minBytes)
    {
        BufferPool pool = new();
        List<System.Buffers.IMemoryOwner<byte>> blocks = [];
        while (pool.SizeBytes < 3L * BufferPool.MaxKeptBytes)
        {
            blocks.Add(pool.Rent(minBytes));
            blocks[^1].Memory.Span.Fill(1); // now it is memory, not only addresses
        }

        Assert.Equal(0, pool.KeptBytes);
        long before = ResidentBytes();
        new Random(1).Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(blocks)); // peers do not leave in the order in which they came
        blocks.ForEach(block => block.Dispose());
        Assert.Equal((BufferPool.MaxKeptBytes, BufferPool.MaxKeptBytes), (pool.KeptBytes, pool.SizeBytes));
        Assert.InRange(before - ResidentBytes(), BufferPool.MaxKeptBytes, long.MaxValue); // without any collection; 128 MiB less other tests' memory
        using System.Buffers.IMemoryOwner<byte> one = pool.Rent(minBytes), two = pool.Rent(minBytes);
        Assert.Equal(BufferPool.MaxKeptBytes, pool.SizeBytes);
        Assert.NotSame(one, two);
    }

    /// <summary>An idle node has no collections, so the pool itself gives memory back; a load that comes again makes no new slabs.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(BufferPool.LargeBlockSizeBytes)]
    public void Memory_that_nobody_uses_is_given_back_within_seconds_and_lent_again(int minBytes)
    {
        long nowMs = 0;
        DeadlineWheel timers = new(nowMs);
        BufferPool pool = new(timers, () => nowMs);
        List<System.Buffers.IMemoryOwner<byte>> Load(int bytes)
        {
            List<System.Buffers.IMemoryOwner<byte>> blocks = [];
            for (int rented = 0; rented < bytes; rented += blocks[^1].Memory.Length)
            {
                blocks.Add(pool.Rent(minBytes));
                blocks[^1].Memory.Span.Fill(1);
            }

            return blocks;
        }

        const int Bytes = BufferPool.MaxKeptBytes;
        Load(Bytes).ForEach(block => block.Dispose());
        Assert.Equal(Bytes, pool.KeptBytes);
        int made = pool.BlockCount;
        long before = ResidentBytes();
        for (int second = 0; second < 10; second++)
        {
            timers.Advance(nowMs += BufferPool.TrimMs); // 32 of 64 MiB are in use each second: they stay
            Load(Bytes / 2).ForEach(block => block.Dispose());
        }

        Assert.InRange(pool.KeptBytes, Bytes / 2, (Bytes / 2) + BufferPool.AlwaysKeptBytes);
        Assert.Equal(made, pool.BlockCount);
        for (int second = 0; second < 10; second++)
        {
            timers.Advance(nowMs += BufferPool.TrimMs);
        }

        Assert.Equal((BufferPool.AlwaysKeptBytes, BufferPool.AlwaysKeptBytes), (pool.KeptBytes, pool.SizeBytes));
        Assert.Equal(long.MaxValue, timers.NextDueMs(nowMs)); // an idle loop is not woken
        Assert.InRange(before - ResidentBytes(), Bytes / 2, long.MaxValue); // without any collection
        List<System.Buffers.IMemoryOwner<byte>> again = Load(Bytes);
        Assert.Equal((made, 0, Bytes), (pool.BlockCount, pool.KeptBytes, (int)pool.SizeBytes));
        Assert.Equal(again.Count, again.Select(Address).Distinct().Count());
        Assert.All(again, block => Assert.Equal(-1, block.Memory.Span.IndexOfAnyExcept((byte)1)));
        again.ForEach(block => block.Dispose());
    }

    /// <summary>A block that comes back is lent again at once: it is in the processor's cache.</summary>
    [Fact]
    public void A_block_is_lent_again_while_others_are_kept()
    {
        BufferPool pool = new();
        System.Buffers.IMemoryOwner<byte>[] blocks = [.. Enumerable.Range(0, 1000).Select(_ => pool.Rent())];
        blocks.ToList().ForEach(block => block.Dispose());
        System.Buffers.IMemoryOwner<byte> first = pool.Rent();
        for (int i = 0; i < 100; i++)
        {
            first.Dispose();
            Assert.Same(first, pool.Rent());
        }
    }

    private static unsafe long Address(System.Buffers.IMemoryOwner<byte> block)
    {
        using System.Buffers.MemoryHandle handle = block.Memory.Pin();
        return (long)handle.Pointer;
    }

    private static long ResidentBytes() =>
        long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private sealed class Silent : LoopHandler
    {
        public override void OnReady(uint events)
        {
        }
    }

    private sealed class AtTurnEnd(Action action) : TurnTask
    {
        public override void OnTurnEnd() => action();
    }
}
