using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>Overload, recycling and what an error says, with real workers.</summary>
public class EngineAppTests
{
    [Fact]
    public async Task After_a_stall_an_adaptive_queue_answers_fresh_requests_while_the_old_ones_drain_or_expire()
    {
        const int Backlog = 150, Soon = 50, Fresh = 5;
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, QueueLimit = 0, QueueOrder = QueueOrder.Adaptive, HeartbeatTimeoutMs = 120_000 };
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string stall = Path.Combine(Path.GetTempPath(), $"stall-{Guid.NewGuid():N}");
        File.WriteAllText(stall, "");
        int drained = 0;
        List<Task> old = [];
        for (int i = 0; i < Backlog; i++)
        {
            old.Add(CallAsync(default));
        }

        CallOptions soon = new() { Deadline = TimeSpan.FromSeconds(1) };
        for (int i = 0; i < Soon; i++)
        {
            old.Add(CallAsync(soon));
        }

        await app.UntilAsync(info => info.GetProperty("queue").GetProperty("oldest-age-ms").GetInt64() > 1500);
        File.Delete(stall);
        for (int i = 0; i < Fresh; i++)
        {
            await client.CallAsync("stall", Utf8.Of(stall));
        }

        // A queue by arrival would have served the whole backlog first, 10 ms each.
        Assert.InRange(Volatile.Read(ref drained), 0, Backlog / 2);
        await Task.WhenAll(old).WaitAsync(TimeSpan.FromSeconds(60));
        await app.UntilAsync(info =>
            info.GetProperty("queue") is var queue && queue.GetProperty("depth").GetInt32() == 0 && queue.GetProperty("overloads").GetInt32() > 0);

        async Task CallAsync(CallOptions options)
        {
            try
            {
                await client.CallAsync("stall", Utf8.Of(stall), options);
                Interlocked.Increment(ref drained);
            }
            catch (CocaineException failure) when (options.Deadline is not null)
            {
                Assert.Equal((520, "the deadline of 1000 ms passed while the job was waiting in the queue"), (failure.Code, failure.Message));
            }
        }
    }

    [Fact]
    public async Task Workers_are_recycled_after_their_jobs_under_load_and_no_call_notices()
    {
        const int Callers = 4;
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 2, QueueLimit = 100, MaxJobs = 20, RetryLimit = 0 };
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);

        // As long as it takes: the old ones work on until their replacements are ready, and how many calls that is says the machine.
        ConcurrentDictionary<string, bool> workers = new();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        int[] calls = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async _ =>
        {
            int done = 0;
            for (; workers.Count < 4; done++)
            {
                limit.Token.ThrowIfCancellationRequested();
                workers[Encoding.UTF8.GetString(await client.CallAsync("pid", default(ReadOnlyMemory<byte>)))] = true;
            }

            return done;
        }));
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("recycled").GetProperty("max-jobs").GetInt32() >= 2
            && info.GetProperty("pool").GetProperty("total").GetInt32() <= 2);
        JsonElement info = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement;
        JsonElement jobs = info.GetProperty("jobs");
        Assert.Equal((calls.Sum(), 0), (jobs.GetProperty("done").GetInt32(), jobs.GetProperty("failed").GetInt32()));
        Assert.Contains("is worn by its Jobs and is recycled", node.Log);
    }

    [Fact]
    public async Task A_worker_whose_memory_grew_is_replaced()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, MaxRssBytes = 200 << 20 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string before = Encoding.UTF8.GetString(await client.CallAsync("pid", default(ReadOnlyMemory<byte>)));
        await client.CallAsync("grow", Utf8.Of((300 << 20).ToString(CultureInfo.InvariantCulture)));
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("recycled").GetProperty("max-rss").GetInt32() == 1);
        Assert.NotEqual(before, Encoding.UTF8.GetString(await client.CallAsync("pid", default(ReadOnlyMemory<byte>))));
    }

    [Fact]
    public async Task A_worker_whose_handler_does_not_end_when_it_is_cancelled_is_replaced_and_later_calls_are_answered()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, HeartbeatTimeoutMs = 6000, TerminationTimeoutMs = 500 }; // it beats every 5 s
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CallOptions soon = new() { Deadline = TimeSpan.FromMilliseconds(200) };
        CocaineException late = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("deaf", Utf8.Of("x"), soon));
        Assert.Equal(520, late.Code);
        Assert.Equal("later", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("later")).WaitAsync(TimeSpan.FromSeconds(60))));
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("recycled").GetProperty("abandoned-jobs").GetInt32() == 1
            && info.GetProperty("pool").GetProperty("total").GetInt32() == 1);
        JsonElement info = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement;
        Assert.Equal(1, info.GetProperty("jobs").GetProperty("abandoned").GetInt32());
        Assert.Equal(0, info.GetProperty("jobs").GetProperty("timeouts").GetProperty("heartbeat").GetInt32()); // it was alive, and beat
        Assert.Contains("job 1 (event deaf) was answered", node.Log);
        Assert.Contains("is worn by its AbandonedJobs and is recycled", node.Log);
    }

    [Fact]
    public async Task Errors_carry_the_jobs_number_and_a_refusal_for_lack_of_room_says_when_to_come_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, QueueLimit = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException failed = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("x")));
        Assert.Equal((1UL, null), (failed.JobId, failed.RetryAfter));
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]> runs = client.CallAsync("hold", Utf8.Of(release));
        Task<byte[]> waits = client.CallAsync("hold", Utf8.Of(release));
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("x")));
        Assert.Equal((503, 4UL), (refused.Code, refused.JobId));
        Assert.InRange(refused.RetryAfter!.Value.TotalSeconds, 1, 60);
        File.WriteAllText(release, "");
        await Task.WhenAll(runs, waits);
        File.Delete(release);
    }

    [Fact]
    public async Task Jobs_of_a_client_that_goes_away_are_cancelled_and_counted()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 2 }));
        Task<byte[]>[] calls;
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            ClientCall streams = client.Open("stream"); // its answer has begun
            await streams.WriteAsync(Utf8.Of("part"));
            Assert.Equal("4;", Encoding.UTF8.GetString((await streams.ReadAsync())!.Value.Span));
            calls = [client.CallAsync("hold", Utf8.Of(release)), client.CallAsync("hold", Utf8.Of(release))];
            await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("running").GetInt32() == 2
                && info.GetProperty("jobs").GetProperty("queued").GetInt32() == 1);
        }

        await app.UntilAsync(info => info.GetProperty("jobs").GetProperty("client-gone").GetInt32() == 3);
        await Assert.ThrowsAnyAsync<Exception>(() => Task.WhenAll(calls));
        File.WriteAllText(release, "");
        await app.UntilAsync(info => info.GetProperty("pool").GetProperty("idle").GetInt32() == 2); // both workers heard of it
        File.Delete(release);
    }

    [Fact]
    public async Task A_call_says_itself_whether_it_is_urgent_and_how_often_it_may_be_run_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, RetryLimit = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string first = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}"), second = first + "-2", mark = first + "-3";
        Task<byte[]> runs = client.CallAsync("hold", Utf8.Of(first)), usual = client.CallAsync("hold", Utf8.Of(second));
        Task<byte[]> urgent = client.CallAsync("echo", Utf8.Of("urgent"), new CallOptions { Urgent = true });
        await app.UntilInfoShowsAsync("\"queued\":2");
        File.WriteAllText(first, "");
        await urgent.WaitAsync(TimeSpan.FromSeconds(20)); // the one before it waits for what has not come
        Assert.False(usual.IsCompleted);
        File.WriteAllText(second, "");
        await Task.WhenAll(runs, usual);

        CallOptions once = new() { RetryLimit = 0 };
        Assert.Equal(502, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die_once", Utf8.Of(mark), once))).Code);
        Array.ForEach([first, second, mark], File.Delete);
    }
}
