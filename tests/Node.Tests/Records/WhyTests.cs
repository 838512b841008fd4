using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Ledger;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Node.Tests.Records;

/// <summary>What <c>cocaine-fast why</c> tells of jobs, of a node that runs and of one that was killed.</summary>
[Collection(nameof(Alone))]
public sealed class WhyTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"ledger-{Guid.NewGuid():N}");

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    [Fact]
    public async Task Each_job_has_its_record_with_outcome_times_slave_and_error()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, QueueLimit = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        DateTimeOffset before = DateTimeOffset.UtcNow;
        await client.CallAsync("echo", Utf8.Of("x"));
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("no reason")));
        await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("die", Utf8.Of("")));
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]> holding = client.CallAsync("hold", Utf8.Of(release));
        await app.UntilInfoShowsAsync("\"running\":1");
        Task<byte[]> waiting = client.CallAsync("echo", Utf8.Of("waits"));
        await app.UntilInfoShowsAsync("\"queued\":1");
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("echo", Utf8.Of("refused")))).Code);
        JobRecords records = JobRecords.Read(node.LedgerDirectory, "behaviours").Single();
        Assert.True(records.IsNodeRunning);
        Assert.Equal(
            [JobOutcome.Done, JobOutcome.Failed, JobOutcome.Failed, JobOutcome.Open, JobOutcome.Open, JobOutcome.Refused],
            records.Entries.Select(job => job.Outcome));
        Assert.Equal(["echo", "fail", "die", "hold", "echo", "echo"], records.Entries.Select(job => job.Event));
        Assert.All(records.Entries, job => Assert.InRange(job.Arrived, before.AddSeconds(-2), DateTimeOffset.UtcNow.AddSeconds(2)));
        LedgerEntry done = records.Entries[0], failed = records.Entries[1], died = records.Entries[2], held = records.Entries[3];
        Assert.True(done is { DispatchedNs: >= 0, Runs: 1, Slave.Length: 8 } && done.FirstByteNs <= done.EndedNs, $"{done}");
        Assert.Contains("no reason", failed.Text);
        Assert.True(died is { Runs: 2, Category: 1000, Code: 502 } && died.QueuedNs <= died.DispatchedNs, $"{died}");
        Assert.Contains($"slave {died.Slave} died: signal 9", died.Text);
        Assert.True(held is { EndedNs: null, Slave: not null } && !records.EndedWithNode(held), $"{held}");
        Assert.Null(records.Entries[4].DispatchedNs);
        Assert.Equal((503, "the queue is full: 1 jobs wait"), (records.Entries[5].Code, records.Entries[5].Text[..30]));
        File.WriteAllText(release, "");
        await Task.WhenAll(holding, waiting);
        File.Delete(release);
    }

    [Fact]
    public async Task A_node_killed_under_load_leaves_records_that_are_whole_and_its_numbers_go_on()
    {
        string manifest = Path.Combine(Repository.Root, "tests/apps/behaviours.json");
        ulong last = 0;
        for (int round = 0; round < 2; round++)
        {
            using Process node = Start("run", manifest, "--locator", "none", "--ledger-folder", _folder);
            string endpoint = await ReadyAsync(node);
            await using (CocaineClient client = await CocaineClient.ConnectAsync(endpoint))
            {
                await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of($"round {round}")));
                Task load = KeepCallingAsync(endpoint);
                Task<byte[]> held = client.CallAsync("hold", Utf8.Of("/nowhere/at all"));
                while (JobRecords.Read(_folder, "behaviours")[0].Entries is { } seen && (seen.Count < 500 || !seen.Any(IsHeld)))
                {
                    await Task.Yield();
                }

                node.Kill();
                await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
                await load;
                await Assert.ThrowsAnyAsync<Exception>(() => held);
            }

            JobRecords records = JobRecords.Read(_folder, "behaviours").Single();
            Assert.False(records.IsNodeRunning);
            Assert.Equal(last + 1, records.Header.FirstId);
            last = records.Entries[^1].Id;
            Assert.Contains(records.Entries, job => IsHeld(job) && records.EndedWithNode(job));
            Assert.DoesNotContain(records.Entries, job => job.Outcome == JobOutcome.Done && job.EndedNs is null);

            // Not the very last for sure: a worker may die before its node's other threads, and its job is failed in time.
            (int code, string text, _) = await WhyAsync("--last-failed", "1000");
            Assert.Equal(0, code);
            Assert.True(text.Contains("when the node ended", StringComparison.Ordinal), text);
            (code, text, _) = await WhyAsync("--last-failed", "100000", "--app", "behaviours", "--json");
            using JsonDocument all = JsonDocument.Parse(text);
            JsonElement failed = all.RootElement.EnumerateArray().First(job => job.GetProperty("event").GetString() == "fail");
            Assert.Contains($"round {round}", failed.GetProperty("error").GetString());
            ulong id = failed.GetProperty("job").GetUInt64();
            (code, text, _) = await WhyAsync(id.ToString(CultureInfo.InvariantCulture));
            Assert.StartsWith($"job {id} of behaviours: failed after ", text, StringComparison.Ordinal);
            Assert.Matches("dispatched .* to slave [0-9a-f]{8}", text);
        }
    }

    [Fact]
    public async Task It_says_which_jobs_there_are_and_what_it_cannot_find()
    {
        (int code, _, string error) = await WhyAsync("1");
        Assert.Equal(1, code);
        Assert.Contains($"there is no ledger folder {_folder}", error);
        Directory.CreateDirectory(_folder);
        File.WriteAllText(Path.Combine(_folder, "broken.ledger"), "nothing");
        (code, _, error) = await WhyAsync("1");
        Assert.Equal(1, code);
        Assert.Contains("broken.ledger: it is no ledger", error);
        (code, _, error) = await WhyAsync("1", "--app", "other");
        Assert.Contains("there is no ledger of the app other", error);
        (code, _, error) = await WhyAsync();
        Assert.NotEqual(0, code);
        Assert.Contains("say which jobs", error);
    }

    [Fact]
    public async Task A_damaged_ledger_is_named_and_hides_no_other()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py"));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.CallAsync("echo", Utf8.Of("x"));
        Directory.CreateDirectory(_folder);
        File.Copy(LedgerFolder.FileOf(node.LedgerDirectory, "behaviours"), LedgerFolder.FileOf(_folder, "behaviours"));
        File.WriteAllText(LedgerFolder.FileOf(_folder, "a-broken"), "nothing");
        (int code, string text, string error) = await WhyAsync("--slow");
        Assert.Equal(0, code);
        Assert.StartsWith("job 1 of behaviours: done after ", text, StringComparison.Ordinal);
        Assert.Contains("a-broken.ledger: it is no ledger", error);
    }

    [Fact]
    public async Task Old_jobs_make_room_and_the_range_that_is_there_is_said()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { QueueLimit = 1000, LedgerJobs = 60 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        for (int i = 0; i < 200; i++)
        {
            await client.CallAsync("echo", Utf8.Of("x"));
        }

        (int code, _, string error) = await WhyInAsync(node.LedgerDirectory, "7");
        Assert.Equal((1, "behaviours: no such job: the ledger has 64 jobs, from 137 to 200, and keeps the latest 64"), (code, error.Trim()));
        (code, string text, _) = await WhyInAsync(node.LedgerDirectory, "--slow", "3");
        Assert.Equal(0, code);
        Assert.Equal(3, text.Split('\n').Count(line => line.EndsWith("  done", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_runs_now_is_told_with_what_waits_for_it_and_that_nothing_runs()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, QueueLimit = 5 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.CallAsync("echo", Utf8.Of("x"));
        (int code, string text, _) = await WhyInAsync(node.LedgerDirectory, "--running");
        Assert.Equal((0, "behaviours: no job is running, none waits"), (code, text.Trim()));

        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]> holding = client.CallAsync("hold", Utf8.Of(release));
        await app.UntilInfoShowsAsync("\"running\":1");
        Task<byte[]> waiting = client.CallAsync("echo", Utf8.Of("waits"));
        await app.UntilInfoShowsAsync("\"queued\":1");
        (code, text, _) = await WhyInAsync(node.LedgerDirectory, "--running");
        Assert.Equal(0, code);
        string slave = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("pool").GetProperty("slaves")[0]
            .GetProperty("id").GetString()!;
        Assert.Matches($"behaviours +2 +hold +{slave} +[0-9.]+ (ms|s|µs) ", text);
        Assert.DoesNotContain(" echo ", text);
        Assert.Contains("behaviours: 1 job is running, 1 waits, the oldest for ", text);
        (_, text, _) = await WhyInAsync(node.LedgerDirectory, "--running", "--json");
        Assert.Equal([2], JsonDocument.Parse(text).RootElement.EnumerateArray().Select(job => job.GetProperty("job").GetInt32()));
        File.WriteAllText(release, "");
        await Task.WhenAll(holding, waiting);
        File.Delete(release);
    }

    [Fact]
    public async Task Of_quick_jobs_that_come_together_it_says_which_stood_in_a_ring_ahead_of_their_turn()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 1, QueueLimit = 1000 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        LedgerEntry? stood = null;
        while (stood is null)
        {
            await Task.WhenAll(Enumerable.Range(0, 32).Select(_ => client.CallAsync("echo", Utf8.Of("x"))));
            stood = JobRecords.Read(node.LedgerDirectory, "behaviours").Single().Entries.FirstOrDefault(job => job.StoodNs is not null);
        }

        Assert.True(stood is { IsPlaced: false, Runs: 1, Outcome: JobOutcome.Done } && stood.StoodNs <= stood.DispatchedNs, $"{stood}");
        string id = stood.Id.ToString(CultureInfo.InvariantCulture);
        (int code, string text, _) = await WhyInAsync(node.LedgerDirectory, id);
        Assert.Equal(0, code);
        Assert.Matches($@"  placed +\+[0-9.]+ (ms|s|µs) +in the ring of slave {stood.Slave}, [0-9.]+ (ms|s|µs) ahead of its turn", text);
    }

    [Fact]
    public async Task A_second_node_of_an_app_and_a_folder_that_cannot_be_made_are_said_and_it_serves()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = TestApps.Python("behaviours.py");
        await node.AddAsync(manifest);
        foreach ((string folder, string reason) in new[] { (node.LedgerDirectory, "another node's"), ("/proc/nowhere", "/proc/nowhere") })
        {
            using LogLines log = new();
            await using CocaineNode second = new(new NodeOptions
            {
                Loops = 1,
                Locator = null,
                LedgerDirectory = folder,
                LoggerFactory = log,
            });
            second.Start();
            RunningApp app = await second.AddAsync(manifest);
            await app.Ready.WaitAsync(TimeSpan.FromSeconds(30));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            Assert.Equal(Utf8.Of("x"), await client.CallAsync("echo", Utf8.Of("x")));
            Assert.Contains("no records of jobs are kept", log.Text);
            Assert.Contains(reason, log.Text);
        }
    }

    private static bool IsHeld(LedgerEntry job) => job is { Event: "hold", Outcome: JobOutcome.Open, Slave: not null };

    /// <summary>Calls until the node is gone.</summary>
    private static async Task KeepCallingAsync(string endpoint)
    {
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        try
        {
            while (true)
            {
                await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.CallAsync("echo", Utf8.Of("x"))));
            }
        }
        catch (ConnectionLostException)
        {
            // how it is meant to end
        }
    }

    private Task<(int Code, string Output, string Error)> WhyAsync(params string[] arguments) => WhyInAsync(_folder, arguments);

    private static async Task<(int Code, string Output, string Error)> WhyInAsync(string folder, params string[] arguments)
    {
        using Process process = Start(["why", .. arguments, "--folder", folder]);
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        return (process.ExitCode, await output, await error);
    }

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(Program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static async Task<string> ReadyAsync(Process node)
    {
        _ = node.StandardError.ReadToEndAsync(); // or its pipe fills
        string line = await node.StandardOutput.ReadLineAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token) ?? "";
        Assert.StartsWith("ready app=", line, StringComparison.Ordinal);
        return line[(line.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..];
    }
}
