using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Node.Tests.Reload;

public class ReloadUnderLoadTests
{
    [Fact]
    public async Task Reloads_of_worker_processes_under_load_lose_no_job_and_no_connection()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { QueueLimit = 64, PoolLimit = 3 };
        RunningApp app = await node.AddAsync(Versions.Python(1, engine));
        await RunAsync(node, app, version => Versions.Python(version, engine));
    }

    [Fact]
    public async Task Reloads_of_thread_slaves_under_load_lose_no_job_and_no_connection()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.DotNet(BackendType.Thread) with { Name = "app", Version = 1 });
        await RunAsync(node, app, version => TestApps.DotNet(BackendType.Thread) with { Name = "app", Version = version });
    }

    [Fact]
    public async Task An_endpoint_whose_task_changes_turns_nobody_away()
    {
        await using TestNode node = TestNode.Start();
        EngineSettings engine = new() { QueueLimit = 64, PoolLimit = 2 };
        RunningApp app = await node.AddAsync(Versions.Python(1, engine).With(Versions.Server(backlog: 100)));
        string endpoint = app.Endpoints[0].Endpoint;
        CheckedLoad coming = new(endpoint, 2, 1, reconnects: true), staying = new(endpoint, 2, 2);
        for (int version = 2; version <= 5; version++)
        {
            await staying.ForAsync(50);
            await coming.ForAsync(20);
            AppManifest next = Versions.Python(version, engine).With(Versions.Server(backlog: 100 + version, events: ["echo", "version"]));
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(next).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
            Assert.Equal(endpoint, Assert.Single(app.Endpoints).Endpoint);
        }

        await coming.ForAsync(20);
        Assert.Empty(await coming.StopAsync());
        Assert.Empty(await staying.StopAsync());
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Assert.Equal("5", await client.TextAsync("version"));
        Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("hold"))).Code); // its events are the new ones
    }

    private static async Task RunAsync(TestNode node, RunningApp app, Func<int, AppManifest> manifest)
    {
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 4, callsAtOnce: 4);
        List<Task> drained = [];
        for (int version = 2; version <= 6; version++)
        {
            await load.ForAsync(200);
            ReplaceOutcome outcome = await node.Node.ReplaceAsync(manifest(version)).WaitAsync(Versions.Long);
            Assert.True(outcome.Replaced, outcome.Reason);
            Assert.Equal((version - 1, version), (outcome.FromVersion, outcome.ToVersion));
            Assert.Equal(version, app.Manifest.Version);
            drained.Add(outcome.Drained);
        }

        await load.ForAsync(200);
        Assert.Empty(await load.StopAsync());
        await Task.WhenAll(drained).WaitAsync(Versions.Long); // under load each old version came to its end
        JsonElement info = await app.InfoAsync(), jobs = info.GetProperty("jobs");
        Assert.Equal(6, info.GetProperty("version").GetInt32());
        Assert.Empty(info.GetProperty("older").EnumerateArray());
        Assert.Equal(load.Answers, jobs.GetProperty("done").GetInt64());
        Assert.Equal(load.Answers, jobs.GetProperty("accepted").GetInt64());
        Assert.Equal((0, 0, 0, 0), (Count("failed"), Count("rejected"), Count("queued"), Count("running")));

        long Count(string name) => jobs.GetProperty(name).GetInt64();
    }
}
