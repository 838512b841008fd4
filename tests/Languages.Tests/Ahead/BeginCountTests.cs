using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Ahead;

/// <summary>
/// Quick jobs and slow ones on real slaves, which get jobs ahead of their turn and must give them back: every begin of a handler is
/// counted.
/// </summary>
[Collection(nameof(Alone))]
public class BeginCountTests
{
    private const int Calls = 4000, AtOnce = 64, SlowEvery = 150, SlowMs = 30;

    public static TheoryData<string> Kinds => [.. CountingApps.All];

    public static TheoryData<string> Processes => [.. CountingApps.All.Where(kind => !kind.EndsWith("thread", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task No_job_is_begun_twice_and_none_is_forgotten_while_slow_ones_hold_slaves_up(string kind)
    {
        using TestFolder folder = new();
        string file = Path.Combine(folder.Path, "begun");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(CountingApps.Of(kind, Settings(3)));

        await CallAllAsync(app, file, kill: null);

        int[] begins = Begins(file);
        Assert.Equal(Enumerable.Repeat(1, Calls), begins);
        JsonElement jobs = await JobsAsync(app);
        Assert.True(jobs.GetProperty("taken-back").GetInt64() > 0, $"no job was taken back: nothing was tested\n{jobs}");
    }

    /// <summary>
    /// A slave that is killed takes what it has begun with it: the running job, and those whose answers it had not shown yet. Only they are
    /// begun again, and each is charged for it.
    /// </summary>
    [Theory]
    [MemberData(nameof(Processes))]
    public async Task A_kill_makes_only_jobs_that_were_begun_run_again(string kind)
    {
        using TestFolder folder = new();
        string file = Path.Combine(folder.Path, "begun");
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(CountingApps.Of(kind, Settings(2)));
        int kills = 0;

        await CallAllAsync(app, file, async call =>
        {
            if (call % 400 == 399 && await SlaveAsync(app) is { } pid)
            {
                Process.GetProcessById(pid).Kill();
                Interlocked.Increment(ref kills);
            }
        });

        int[] begins = Begins(file);
        Assert.True(kills > 3, $"{kills} slaves were killed");
        Assert.DoesNotContain(0, begins);
        JsonElement jobs = await JobsAsync(app);
        Assert.True(begins.Sum() - Calls <= jobs.GetProperty("retried").GetInt64(), $"{begins.Sum() - Calls} jobs were begun again\n{jobs}");
        Assert.Equal(0, jobs.GetProperty("failed").GetInt64());
        Assert.True(jobs.GetProperty("taken-back").GetInt64() > 0, $"no job was taken back: nothing was tested\n{jobs}");
    }

    // As a manifest has it that says nothing, but for room in the queue; and retries, since a job may be killed by chance more than once.
    private static EngineSettings Settings(int slaves) =>
        new() { QueueLimit = 2 * AtOnce, PoolLimit = slaves, PoolMinimum = slaves, RetryLimit = 3 };

    private static async Task CallAllAsync(RunningApp app, string file, Func<int, Task>? kill)
    {
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(async _ =>
        {
            for (int call; (call = Interlocked.Increment(ref next)) < Calls;)
            {
                int ms = call % SlowEvery == SlowEvery - 1 ? SlowMs : 0;
                byte[] answer = await client.CallAsync("mark", Utf8.Of($"{file}|{call}|{ms}")).WaitAsync(TimeSpan.FromSeconds(60));
                Assert.Equal($"{call}", Encoding.UTF8.GetString(answer));
                await (kill?.Invoke(call) ?? Task.CompletedTask);
            }
        }));
    }

    private static int[] Begins(string file)
    {
        int[] begins = new int[Calls];
        string folder = Path.GetDirectoryName(file)!;
        foreach (string line in Directory.GetFiles(folder).SelectMany(File.ReadLines))
        {
            begins[int.Parse(line, System.Globalization.CultureInfo.InvariantCulture)]++;
        }

        return begins;
    }

    private static async Task<JsonElement> JobsAsync(RunningApp app) =>
        JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("jobs");

    /// <summary>The process of a slave that has a job, or null.</summary>
    private static async Task<int?> SlaveAsync(RunningApp app) =>
        JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("pool").GetProperty("slaves").EnumerateArray()
            .Where(slave => slave.GetProperty("state").GetString() == "busy").Select(slave => (int?)slave.GetProperty("pid").GetInt32())
            .FirstOrDefault();
}
