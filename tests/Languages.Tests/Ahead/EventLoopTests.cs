using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Languages.Tests.Ahead;

/// <summary>Workers with an event loop under a manifest that does not say how many jobs they run at once.</summary>
[Collection(nameof(Alone))]
public class EventLoopTests
{
    private const int Calls = 50, WaitMs = 100;

    private const string Python = "waiting.py", JavaScript = "waiting.mjs";

    public static TheoryData<string> Apps => NeedsFactAttribute.IsHere("node") ? [Python, JavaScript] : [Python];

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task Handlers_that_wait_do_so_side_by_side(string file)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(file, new EngineSettings { PoolLimit = 1, PoolMinimum = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.CallAsync("wait", Utf8.Of("1"));

        Stopwatch time = Stopwatch.StartNew();
        byte[][] answers = await Task.WhenAll(Enumerable.Range(0, Calls).Select(_ => client.CallAsync("wait", Utf8.Of($"{WaitMs}"))));

        Assert.True(time.ElapsedMilliseconds < Calls * WaitMs / 5, $"{time.ElapsedMilliseconds} ms");
        Assert.All(answers, answer => Assert.Equal("waited", Encoding.UTF8.GetString(answer)));
        Assert.Equal((64, "worker"), await ConcurrencyAsync(app));
    }

    /// <summary>Jobs that wait for nothing but a core must not stand behind each other in one slave.</summary>
    [Theory]
    [MemberData(nameof(Apps))]
    public async Task Handlers_that_compute_get_slaves_of_their_own(string file)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(file, new EngineSettings { PoolLimit = 3 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.CallAsync("compute", Utf8.Of("1"));
        HashSet<string> processes = [];
        for (int round = 0; round < 20 && processes.Count < 3; round++)
        {
            byte[][] answers = await Task.WhenAll(Enumerable.Range(0, Calls).Select(_ => client.CallAsync("compute", Utf8.Of("20"))));
            processes.UnionWith(answers.Select(answer => Encoding.UTF8.GetString(answer)));
        }

        Assert.Equal(3, processes.Count);
        JsonElement info = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement;
        Assert.Equal(0, info.GetProperty("jobs").GetProperty("failed").GetInt64());
        Assert.True(info.GetProperty("jobs").GetProperty("taken-back").GetInt64() > 0, $"{info}");
    }

    [Theory]
    [MemberData(nameof(Apps))]
    public async Task The_manifest_decides_where_it_says_a_number(string file)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(file, new EngineSettings { PoolLimit = 1, PoolMinimum = 1, Concurrency = 1 }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Stopwatch time = Stopwatch.StartNew();

        await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => client.CallAsync("wait", Utf8.Of($"{WaitMs}"))));

        Assert.True(time.ElapsedMilliseconds >= 5 * WaitMs * 0.9, $"{time.ElapsedMilliseconds} ms");
        Assert.Equal((1, "manifest"), await ConcurrencyAsync(app));
    }

    [Fact]
    public async Task A_Python_app_of_plain_functions_runs_one_job_at_a_time()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App("counting.py", new EngineSettings { PoolLimit = 1, PoolMinimum = 1 }));

        Assert.Equal((1, "default"), await ConcurrencyAsync(app));
    }

    private static AppManifest App(string file, EngineSettings engine) => TestApps.Python(file, engine) with
    {
        Type = file.EndsWith(".py", StringComparison.Ordinal) ? AppType.Python : AppType.JavaScript,
    };

    private static async Task<(int Number, string From)> ConcurrencyAsync(RunningApp app)
    {
        JsonElement pool = JsonDocument.Parse(await app.InfoJsonAsync()).RootElement.GetProperty("pool");
        return (pool.GetProperty("concurrency").GetInt32(), pool.GetProperty("concurrency-from").GetString()!);
    }
}
