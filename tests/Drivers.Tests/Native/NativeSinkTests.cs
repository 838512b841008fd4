using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Native;

/// <summary>A caller of a native-sink is told that its job was taken; the job runs whatever becomes of the caller.</summary>
public sealed class NativeSinkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("sink-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_job_is_accepted_when_its_request_is_whole_and_runs_without_its_caller()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App());
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            Assert.Empty(await client.CallAsync("sink", Utf8.Of("hold on"))); // accepted though it runs until it is let go
            await app.UntilInfoShowsAsync("\"running\":1");
        }

        await app.UntilInfoShowsAsync("\"connections\":0");
        File.WriteAllText(Path.Combine(_folder, "release"), "");
        await node.DisposeAsync(); // drains
        Assert.Equal(["1 hold on"], Taken());
    }

    [Fact]
    public async Task A_request_may_come_in_many_chunks_and_one_that_never_ends_is_no_job()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App());
        CocaineClient client = await TestNode.ConnectAsync(app);
        await using (ClientCall call = client.Open("sink"))
        {
            for (int i = 0; i < 50; i++)
            {
                await call.WriteAsync(Utf8.Of($"{i},"));
            }

            await call.CompleteAsync();
            Assert.Null(await call.ReadAsync());
        }

        ClientCall unfinished = client.Open("sink");
        await unfinished.WriteAsync(Utf8.Of("half of it"));
        await app.UntilInfoShowsAsync("\"running\":1");
        await client.DisposeAsync();
        await app.UntilInfoShowsAsync("\"cancelled\":1");
        await node.DisposeAsync();
        Assert.Equal(["50 " + string.Concat(Enumerable.Range(0, 50).Select(i => $"{i},"))[..100]], Taken());
    }

    [Fact]
    public async Task What_is_not_accepted_is_an_error_at_once_and_what_is_accepted_is_run_to_the_last()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(new EngineSettings { PoolLimit = 1, QueueLimit = 5 }));
        int accepted = 0;
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            Assert.Empty(await client.CallAsync("sink", Utf8.Of("hold 0")));
            accepted++;
            for (int i = 1; i < 20; i++)
            {
                try
                {
                    await client.CallAsync("sink", Utf8.Of($"hold {i}"));
                    accepted++;
                }
                catch (CocaineException refused)
                {
                    Assert.Equal(503, refused.Code);
                }
            }

            Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => client.CallAsync("other", Utf8.Of("x")))).Code);
        }

        Assert.Equal(6, accepted); // one runs, five wait
        File.WriteAllText(Path.Combine(_folder, "release"), "");
        await node.DisposeAsync();
        Assert.Equal(Enumerable.Range(0, 6).Select(i => $"1 hold {i}"), Taken());
        Assert.True(app.Engine.Counters.Holds(0, 0));
    }

    [Fact]
    public async Task An_accepted_job_survives_the_death_of_its_worker()
    {
        TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(App(new EngineSettings { PoolLimit = 1 }));
        await using (CocaineClient client = await TestNode.ConnectAsync(app))
        {
            Assert.Empty(await client.CallAsync("sink", Utf8.Of("hold it")));
            await app.UntilInfoShowsAsync("\"running\":1");
            System.Text.Json.JsonElement info = System.Text.Json.JsonDocument.Parse(await app.InfoJsonAsync()).RootElement;
            int worker = info.GetProperty("pool").GetProperty("slaves")[0].GetProperty("pid").GetInt32();
            using System.Diagnostics.Process process = System.Diagnostics.Process.GetProcessById(worker);
            process.Kill();
            await app.UntilInfoShowsAsync("\"retried\":1");
        }

        File.WriteAllText(Path.Combine(_folder, "release"), "");
        await node.DisposeAsync();
        Assert.Equal(["1 hold it"], Taken());
    }

    private string[] Taken() =>
        [.. File.ReadAllLines(Path.Combine(_folder, "sink"), Encoding.UTF8).Select(line => line[(line.IndexOf(' ') + 1)..])];

    private AppManifest App(EngineSettings? engine = null) => TestApps.Python(
        "ticking.py", engine ?? new EngineSettings { PoolLimit = 2, QueueLimit = 100 },
        new Dictionary<string, string> { ["TICKING"] = _folder }) with
    {
        Tasks = [new TaskManifest { Name = "sink", DriverType = "native-sink", Endpoints = ["tcp://127.0.0.1:0"] }],
    };
}
