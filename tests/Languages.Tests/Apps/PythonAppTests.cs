using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Apps;

public class PythonAppTests
{
    public static TheoryData<string> Pipes => ["1", "0"];

    [Theory]
    [MemberData(nameof(Pipes))]
    public async Task Answers_stream_and_errors_have_their_codes(string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", env: new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("hello", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("hello"))));
        Assert.Empty(await client.CallAsync("echo", Array.Empty<byte>()));

        List<string> chunks = [];
        await using (ClientCall call = client.Open("count"))
        {
            await call.WriteAsync(Utf8.Of("5"));
            await call.CompleteAsync();
            await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
            {
                chunks.Add(Encoding.UTF8.GetString(chunk.Span));
            }
        }

        Assert.Equal(["1", "2", "3", "4", "5"], chunks);
        CocaineException raised = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("no luck")));
        Assert.Equal((1000, 502, "ValueError: no luck"), (raised.Category, raised.Code, raised.Message));
        await node.LogLines.UntilAsync("Traceback (most recent call last)").WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() =>
            client.CallAsync("nothing", default(ReadOnlyMemory<byte>)))).Code);
        Assert.Contains(pipe == "1" ? "\"pipe\":\"shared memory\"" : "\"pipe\":\"socket\"", await app.InfoJsonAsync());
    }

    [Theory]
    [MemberData(nameof(Pipes))]
    public async Task A_request_of_many_chunks_and_messages_longer_than_the_pipe_go_through(string pipe)
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PipeSizeBytes = 64 << 10 };
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", engine, new Dictionary<string,
            string>
        { ["COCAINE_PIPE"] = pipe }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        byte[] large = new byte[5 << 20];
        new Random(7).NextBytes(large);
        Assert.Equal(large, await client.CallAsync("echo", large));

        await using ClientCall call = client.Open("stream");
        for (int i = 1; i <= 100; i++)
        {
            await call.WriteAsync(new byte[i * 100]);
        }

        await call.CompleteAsync();
        StringBuilder answer = new();
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            answer.Append(Encoding.UTF8.GetString(chunk.Span));
        }

        Assert.Equal(string.Concat(Enumerable.Range(1, 100).Select(i => $"{i * 100};")) + "total 505000", answer.ToString());
    }

    [Fact]
    public async Task A_killed_worker_costs_its_job_a_retry_or_a_502_at_once_and_the_pool_is_whole_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string mark = Path.GetTempFileName();
        File.Delete(mark);
        try
        {
            Assert.Equal("survived", Encoding.UTF8.GetString(await client.CallAsync("die_once", Utf8.Of(mark))));
        }
        finally
        {
            File.Delete(mark);
        }

        CocaineException spent = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die", default(ReadOnlyMemory<byte>)));
        Assert.Equal(502, spent.Code);
        Assert.Contains("died: signal 9", spent.Message);
        Assert.Equal("still here", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("still here"))));
    }

    [Fact]
    public async Task A_busy_worker_killed_from_outside_is_noticed_within_100_ms()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { RetryLimit = 0 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        List<double> noticedAfterMs = [];
        for (int i = 0; i < 5; i++)
        {
            int pid = int.Parse(await CallTextAsync(client, "pid"), System.Globalization.CultureInfo.InvariantCulture);
            await using ClientCall call = client.Open("stream");
            await call.WriteAsync(new byte[1]);
            ClientCall.Enumerator chunks = call.ReadAllAsync().GetAsyncEnumerator();
            Assert.True(await chunks.MoveNextAsync()); // it has begun: otherwise another worker would run it
            long killed = Stopwatch.GetTimestamp();
            using (Process worker = Process.GetProcessById(pid))
            {
                worker.Kill();
            }

            Assert.Equal(502, (await Assert.ThrowsAsync<CocaineException>(async () => await chunks.MoveNextAsync())).Code);
            noticedAfterMs.Add(Stopwatch.GetElapsedTime(killed).TotalMilliseconds);
        }

        Assert.InRange(noticedAfterMs.Min(), 0, 100); // the node's share; more than the least is what else the machine did
    }

    [Fact]
    public async Task An_answer_that_had_begun_is_not_run_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await using ClientCall call = client.Open("die_late");
        await call.CompleteAsync();
        int bytes = 0;
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(async () =>
        {
            await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
            {
                bytes += chunk.Length;
            }
        });
        Assert.Equal((502, 100_001), (failure.Code, bytes));
    }

    [Fact]
    public async Task A_module_that_does_not_import_is_a_failed_start_with_its_traceback()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("broken.py"), waitReady: false);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() =>
            client.CallAsync("event", default(ReadOnlyMemory<byte>)));
        Assert.Equal(500, failure.Code);
        Assert.DoesNotContain("no_such_module_anywhere", failure.Message); // a caller may be anybody
        Assert.Contains("exit code 1", failure.Message);
        Assert.Contains("No module named 'no_such_module_anywhere'", node.Log);
        await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Contains("\"state\":\"broken\"", await app.InfoJsonAsync());
    }

    [Fact]
    public async Task A_deadline_ends_a_job_in_the_queue_and_one_that_runs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CallOptions soon = new() { Deadline = TimeSpan.FromMilliseconds(200) };
        Task<byte[]> running = client.CallAsync("sleep", Utf8.Of("1"), soon);
        Task<byte[]> queued = client.CallAsync("sleep", Utf8.Of("1"), soon);
        CocaineException first = await Assert.ThrowsAsync<CocaineException>(() => running);
        CocaineException second = await Assert.ThrowsAsync<CocaineException>(() => queued);
        Assert.Equal((520, 520), (first.Code, second.Code));
        Assert.Contains("running", first.Message);
        Assert.Contains("queue", second.Message);
        Assert.Equal("after", await CallTextAsync(client, "echo", "after"));
    }

    [Fact]
    public async Task A_silent_worker_gives_504_for_the_jobs_timeout_and_is_replaced()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { PoolLimit = 1, TerminationTimeoutMs = 200 };
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", engine));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(
            () => client.CallAsync("sleep", Utf8.Of("60"), new CallOptions { Timeout = TimeSpan.FromMilliseconds(300) }));
        Assert.Equal(504, failure.Code);
        Assert.Contains("timeout of 300 ms", failure.Message);
        Assert.Equal("next", await CallTextAsync(client, "echo", "next"));
    }

    [Fact]
    public async Task The_queue_is_bounded_and_says_so_at_once()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, QueueLimit = 2 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]>[] calls = [.. Enumerable.Range(0, 5).Select(_ => client.CallAsync("hold", Utf8.Of(release)))];
        await app.UntilInfoShowsAsync("\"rejected\":2");
        File.WriteAllText(release, "");
        int[] codes = await Task.WhenAll(calls.Select(async call =>
        {
            try
            {
                await call;
                return 0;
            }
            catch (CocaineException failure)
            {
                return failure.Code;
            }
        }));
        File.Delete(release);
        Assert.Equal([0, 0, 0, 503, 503], codes.Order());
    }

    [Fact]
    public async Task Output_of_a_worker_goes_to_the_log()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("done", await CallTextAsync(client, "chatty"));
        long limit = Stopwatch.GetTimestamp() + (5 * Stopwatch.Frequency);
        while (!(node.Log.Contains("a line for the log") && node.Log.Contains("another")))
        {
            Assert.True(Stopwatch.GetTimestamp() < limit, node.Log);
            await Task.Yield();
        }
    }

    [Fact]
    public async Task Asynchronous_handlers_wait_side_by_side()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("asynchronous.py", new EngineSettings { PoolLimit = 1, Concurrency = 64 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => client.CallAsync("wait", Utf8.Of("0.5"))));
        Assert.InRange(Stopwatch.GetElapsedTime(start).TotalSeconds, 0.5, 5);
    }

    [Fact]
    public async Task Stopping_finishes_what_runs_and_refuses_what_is_new()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        CocaineClient client = await TestNode.ConnectAsync(app);
        int pid = int.Parse(await CallTextAsync(client, "pid"), System.Globalization.CultureInfo.InvariantCulture);
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]> running = client.CallAsync("hold", Utf8.Of(release));
        await app.UntilInfoShowsAsync("\"running\":1");
        Task stopping = node.Node.StopAsync(TimeSpan.FromSeconds(10));
        await app.UntilInfoShowsAsync("\"draining\""); // a request that comes before the loop knows is taken, and rightly
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("late")))).Code);
        File.WriteAllText(release, "");
        Assert.Equal("held", Encoding.UTF8.GetString(await running));
        File.Delete(release);
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(Directory.Exists($"/proc/{pid}"), "the worker outlived its app");
        await node.DisposeAsync();
    }

    private static async Task<string> CallTextAsync(CocaineClient client, string name, string request = "") =>
        Encoding.UTF8.GetString(await client.CallAsync(name, Utf8.Of(request)));
}
