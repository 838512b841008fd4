using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Load;

namespace Cocaine.Fast.Worker.Tests;

public class DotNetAppTests
{
    public static TheoryData<BackendType, string> Backends => new()
    {
        { BackendType.Thread, "1" }, { BackendType.Process, "1" }, { BackendType.Process, "0" },
    };

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task The_same_app_runs_in_a_thread_and_in_a_process_on_either_pipe(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(backend, env: new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("hello", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("hello"))));
        Assert.Equal("1\n2\n3\n", Encoding.UTF8.GetString(await client.CallAsync("count", Utf8.Of("3"))));
        CocaineException raised = await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("fail", Utf8.Of("no")));
        Assert.Equal((502, "InvalidOperationException: no"), (raised.Code, raised.Message));
        Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("nothing", Utf8.Of("")))).Code);
        byte[] large = new byte[3 << 20];
        new Random(3).NextBytes(large);
        Assert.Equal(large, await client.CallAsync("echo", large));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task Load_gives_every_answer_to_its_own_request_and_counts_add_up(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(backend, env: new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }));
        foreach ((int connections, int inFlight, int size) in ((int, int, int)[])[(32, 8, 64), (1, 1, 64), (4, 64, 5000), (2, 4, 300_000)])
        {
            LoadResult result = await LoadRunner.RunAsync(new LoadOptions(app.Endpoints[0].Endpoint, "echo", connections, inFlight, size,
                TimeSpan.FromSeconds(0.7)));
            Assert.True(result.Mismatches == 0 && result.Errors.Count == 0 && result.Requests > 0,
                $"{connections}x{inFlight}, {size} B: {result.Mismatches} mismatches, errors {string.Join(", ", result.Errors)}; {result.Requests} requests\n{node.Log}");
        }

        Assert.True(app.Engine.Counters.Holds(app.Engine.Queue.Count, app.Engine.RunningJobs));
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public async Task The_largest_message_goes_through_and_a_larger_one_is_refused(BackendType backend, string pipe)
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(backend, env: new Dictionary<string, string> { ["COCAINE_PIPE"] = pipe }));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        byte[] largest = new byte[64 << 20];
        new Random(5).NextBytes(largest);
        byte[] answer = await client.CallAsync("echo", largest).WaitAsync(TimeSpan.FromSeconds(60));
        long start = System.Diagnostics.Stopwatch.GetTimestamp();
        for (int i = 0; i < 5; i++)
        {
            // Longer than the ring: were a wake-up lost on the way, it would wait for the next heartbeat, 5 s.
            Assert.Equal(3 << 20, (await client.CallAsync("echo", largest.AsMemory(0, 3 << 20))).Length);
        }

        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalSeconds, 0, 4);
        Assert.True(largest.AsSpan().SequenceEqual(answer));

        await using CocaineClient other = await TestNode.ConnectAsync(app);
        await Assert.ThrowsAnyAsync<Exception>(() => other.CallAsync("echo", new byte[(64 << 20) + 1]).WaitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal("fine", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("fine"))));
    }

    [Fact]
    public async Task An_assembly_that_is_no_app_fails_the_start()
    {
        await using TestNode node = TestNode.Start();
        AppManifest manifest = TestApps.DotNet(BackendType.Thread) with { Code = new CodeSource { Source = "/nowhere/App.dll" } };
        RunningApp app = await node.AddAsync(manifest, waitReady: false);
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(TimeSpan.FromSeconds(10)));
        Assert.Contains("/nowhere/App.dll", failure.Message);
    }
}
