using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>Handlers whose tasks go on in other threads than the slave's loop.</summary>
public class OtherThreadTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    public static TheoryData<BackendType, string> Backends => DotNetApps.Backends;

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Streams_of_many_jobs_at_once_come_back_byte_by_byte(BackendType backend, string pipe)
    {
        const int Streams = 12, Rounds = 3;
        string[] events = ["hops", "mixed", "thread", "holds"];
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int round = 0; round < Rounds; round++)
        {
            int seed = round * Streams;
            IEnumerable<Task> streams = Enumerable.Range(seed, Streams).Select(i => EchoAsync(client, events[i % events.Length], i));
            await Task.WhenAll(streams).WaitAsync(Limit);
        }

        Assert.Equal(0ul, app.Engine.Counters.SlavesDied + app.Engine.Counters.JobsFailed);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task An_answer_that_is_ended_from_a_timer_ends_as_it_was_told(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        IEnumerable<Task> calls = Enumerable.Range(0, 20).Select(async _ =>
        {
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fails", Utf8.Of("")));
            Assert.Equal((77, "from a timer"), (failure.Code, failure.Message));
        });
        await Task.WhenAll(calls).WaitAsync(Limit);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task A_handler_may_wait_synchronously_for_asynchronous_work(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string[] events = ["result", "waits"];
        byte[][] answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => client.CallAsync(events[i % 2], Utf8.Of($"{i}"))))
            .WaitAsync(Limit);
        Assert.Equal(Enumerable.Range(0, 16).Select(i => $"{i}!"), answers.Select(Encoding.UTF8.GetString));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task A_writer_on_another_thread_waits_for_a_slow_reader_and_every_chunk_comes(BackendType backend, string pipe)
    {
        const int Chunks = 256, ChunkBytes = 64 << 10;
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        ClientCall call = client.Open("flood");
        await call.CompleteAsync();
        long at = 0;
        while (await call.ReadAsync().AsTask().WaitAsync(Limit) is { } chunk)
        {
            foreach (byte b in chunk.Span)
            {
                if (b != (byte)(at++ / ChunkBytes))
                {
                    Assert.Fail($"byte {at - 1} is {b}");
                }
            }
        }

        Assert.Equal((long)Chunks * ChunkBytes, at);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task A_forgotten_task_that_writes_late_gets_an_exception_and_no_other_job_gets_its_bytes(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal("early", Encoding.UTF8.GetString(await client.CallAsync("late", Utf8.Of("")).WaitAsync(Limit)));
            ClientCall next = client.Open("holds"); // runs while the forgotten task writes
            await next.WriteAsync(Utf8.Of("mine"));
            Assert.Equal("mine", Encoding.UTF8.GetString((await next.ReadAsync().AsTask().WaitAsync(Limit))!.Value.Span));
            string outcome = Encoding.UTF8.GetString(await client.CallAsync("opens", Utf8.Of("")).WaitAsync(Limit));
            Assert.Equal(
                "the answer has ended: a handler's task must not end before all that writes its answer; "
                + "the job has ended: its request is not there any more", outcome);
            await next.CompleteAsync();
            Assert.Null(await next.ReadAsync().AsTask().WaitAsync(Limit));
        }
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Objects_that_serve_another_job_already_refuse_whoever_kept_them(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(DotNetApps.Of("Elsewhere", backend, pipe));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        HashSet<string> outcomes = [];
        for (int i = 0; i < 50; i++)
        {
            await client.CallAsync("keeps", Utf8.Of("keep")).WaitAsync(Limit);
            ClientCall next = client.Open("keeps");
            await next.WriteAsync(Utf8.Of("mine"));
            Assert.Equal("mine", Encoding.UTF8.GetString((await next.ReadAsync().AsTask().WaitAsync(Limit))!.Value.Span));
            outcomes.Add(Encoding.UTF8.GetString(await client.CallAsync("pokes", Utf8.Of("")).WaitAsync(Limit)));
            await next.CompleteAsync();
            Assert.Null(await next.ReadAsync().AsTask().WaitAsync(Limit));
        }

        Assert.DoesNotContain("taken", outcomes);

        // It did come to that: the objects served another job when they were used.
        Assert.Contains("the job that had this request and response has ended: they serve another one now", outcomes);
    }

    /// <summary>Sends chunks of all sizes, and takes the echo meanwhile.</summary>
    private static async Task EchoAsync(CocaineClient client, string name, int seed)
    {
        const int Chunks = 40;
        Random random = new(seed);
        byte[][] chunks = [.. Enumerable.Range(0, Chunks).Select(i => new byte[i % 13 == 12 ? 300_000 : random.Next(1, 3000)])];
        Array.ForEach(chunks, random.NextBytes);
        ClientCall call = client.Open(name);
        Task writes = Task.Run(async () =>
        {
            foreach (byte[] chunk in chunks)
            {
                await call.WriteAsync(chunk);
            }

            await call.CompleteAsync();
        });
        byte[] expected = [.. chunks.SelectMany(chunk => chunk)];
        int at = 0;
        while (await call.ReadAsync() is { } answer)
        {
            Assert.True(answer.Span.SequenceEqual(expected.AsSpan(at, answer.Length)), $"{name}: wrong bytes after {at}");
            at += answer.Length;
        }

        Assert.Equal(expected.Length, at);
        await writes;
    }
}
