using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Control;

/// <summary>An app's code is loaded anew, and no job is lost.</summary>
public sealed class RestartTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("restart-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task New_code_answers_and_no_job_is_lost_under_load()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Write("first");
        RunningApp app = await node.Node.AddAsync(Manifest());
        CheckedLoad load = new(app.Endpoints[0].Endpoint, connections: 4, callsAtOnce: 4);
        for (int i = 0; i < 3; i++)
        {
            await load.ForAsync(200);
            Write($"code {i}");
            ReplaceOutcome outcome = await node.Client.RestartAsync("app").WaitAsync(Versions.Long);
            Assert.Equal((true, null, null), (outcome.Replaced, outcome.Reason, outcome.Note));
            await using CocaineClient client = await TestNode.ConnectAsync(app);
            Assert.Equal($"code {i}", await client.TextAsync("version")); // a new connection's job: it goes to the new version
        }

        await load.ForAsync(200);
        Assert.Empty(await load.StopAsync());
        JsonElement jobs = (await app.InfoAsync()).GetProperty("jobs");
        Assert.Equal((0, 0), (jobs.GetProperty("failed").GetInt64(), jobs.GetProperty("rejected").GetInt64()));
    }

    [Fact]
    public async Task Code_that_does_not_start_leaves_the_old_one_running_and_says_why()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Write("good");
        RunningApp app = await node.Node.AddAsync(Manifest());
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        File.WriteAllText(Code, "raise RuntimeError('the new code is no good')\n");
        ReplaceOutcome outcome = await node.Client.RestartAsync("app").WaitAsync(Versions.Long);
        Assert.False(outcome.Replaced);
        Assert.Contains("the new code is no good", outcome.Reason);
        Assert.Equal("good", await client.TextAsync("version"));
        Write("mended");
        Assert.True((await node.Client.RestartAsync("app").WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("mended", await client.TextAsync("version"));
    }

    [Fact]
    public async Task A_broken_app_comes_up_with_code_that_is_mended()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        File.WriteAllText(Code, "raise RuntimeError('broken from the start')\n");
        RunningApp app = await node.Node.AddAsync(Manifest(), waitReady: false);
        await Assert.ThrowsAsync<NodeException>(() => app.Ready.WaitAsync(Versions.Long));
        Write("mended");
        Assert.True((await node.Client.RestartAsync("app").WaitAsync(Versions.Long)).Replaced);
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("mended", await client.TextAsync("version"));
    }

    [Fact]
    public async Task A_paused_app_stays_paused()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Write("old");
        RunningApp app = await node.Node.AddAsync(Manifest());
        await node.Client.PauseAsync("app");
        Write("new");
        Assert.True((await node.Client.RestartAsync("app").WaitAsync(Versions.Long)).Replaced);
        Assert.Equal("paused", Assert.Single(await node.Client.ListAsync()).State);
        await node.Client.ResumeAsync("app");
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("new", await client.TextAsync("version"));
    }

    [Fact]
    public async Task The_assembly_of_a_thread_app_is_loaded_anew()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        AppManifest manifest = TestApps.DotNet(BackendType.Thread) with { Name = "app" };
        byte[] code = File.ReadAllBytes(manifest.Code.Source), mark = [1, 0, 4, .. "echo"u8]; // [Event("echo")] as its metadata has it
        int at = code.AsSpan().IndexOf(mark);
        Assert.True(at > 0 && code.AsSpan(at + 1).IndexOf(mark) < 0);
        string dll = Path.Combine(_folder, "App.dll");
        File.WriteAllBytes(dll, code);
        RunningApp app = await node.Node.AddAsync(manifest with { Code = new CodeSource { Source = dll } });
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        Assert.Equal("hello", await client.TextAsync("echo", "hello"));

        "ecco"u8.CopyTo(code.AsSpan(at + 3)); // the same assembly with another event, renamed into its place
        File.WriteAllBytes(dll + ".new", code);
        File.Move(dll + ".new", dll, overwrite: true);
        ReplaceOutcome outcome = await node.Client.RestartAsync("app").WaitAsync(Versions.Long);
        Assert.True(outcome.Replaced, outcome.Reason);
        Assert.Equal("hello", await client.TextAsync("ecco", "hello"));
        Assert.Equal(404, (await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("echo", "hello"))).Code);
    }

    [Fact]
    public async Task A_manifest_that_has_changed_is_not_taken_and_that_is_said()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Write("code");
        string file = Path.Combine(_folder, "app.json");
        File.WriteAllText(file, Text(version: 1));
        await node.Client.CreateReadyAsync(new ManifestText(File.ReadAllBytes(file), file));
        File.WriteAllText(file, Text(version: 2));
        ReplaceOutcome outcome = await node.Client.RestartAsync("app").WaitAsync(Versions.Long);
        Assert.Equal((true, 1), (outcome.Replaced, outcome.ToVersion));
        Assert.StartsWith($"{file} has changed since; a restart keeps the manifest that runs", outcome.Note);
        File.Delete(file); // of an app that was created only the code must stay
        Assert.Null((await node.Client.RestartAsync("app").WaitAsync(Versions.Long)).Note);
    }

    [Fact]
    public async Task An_app_that_is_not_there_is_told_with_the_nearest_name()
    {
        await using ControlledNode node = await ControlledNode.StartAsync();
        Write("code");
        await node.Node.AddAsync(Manifest() with { Name = "orders" });
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => node.Client.RestartAsync("order"));
        Assert.Equal((404, "no app order runs here; did you mean 'orders'?"), (refused.Code, refused.Message));
    }

    private string Code => Path.Combine(_folder, "code.py");

    private AppManifest Manifest() => Versions.Python(1, new EngineSettings { QueueLimit = 64, PoolLimit = 3 }) with
    {
        Code = new CodeSource { Source = Code },
    };

    private string Text(int version) => $$"""
        {
          "type": "python", "version": {{version}}, "args": { "source": "{{Code}}" },
          "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } }
        }
        """;

    /// <summary>Renamed into place, as docs/reload.md says.</summary>
    private void Write(string version)
    {
        File.WriteAllText(Code + ".new", $"def echo(request):\n    return request\n\ndef version(request):\n    return b'{version}'\n");
        File.Move(Code + ".new", Code, overwrite: true);
    }
}
