using System.Diagnostics;
using System.Text.Json;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary><c>app create</c> tells whether the app came up, without holding anybody up.</summary>
public sealed class CreateWaitTests : IDisposable
{
    private static readonly TimeSpan Long = TimeSpan.FromSeconds(60);

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task An_app_whose_code_cannot_be_loaded_is_told_with_its_reason_and_stays()
    {
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        string manifest = Manifest("typo", "def echo(request:\n    yield request\n");
        (int code, string output, string error) = await serve.RunAsync("app", "create", manifest);
        Assert.Equal(1, code);
        Assert.StartsWith("created app=typo version=0\n", output);
        Assert.StartsWith("app typo was created, but is not ready: ", error);
        Assert.Contains("SyntaxError", error);
        Assert.Contains("broken", (await serve.RunAsync("app", "list")).Output);

        File.WriteAllText(_folder["typo.py"], "def echo(request):\n    yield request\n");
        Assert.Equal("replaced app=typo from=0 to=0\n", (await serve.RunAsync("app", "replace", manifest, "--force")).Output);
        Assert.Equal(0, (await serve.RunAsync("app", "delete", "typo")).Code);

        File.WriteAllText(_folder["typo.py"], "def echo(request:\n");
        Assert.Equal((0, ""), await serve.RunAsync("app", "create", manifest, "--no-wait") is var (asked, _, said) ? (asked, said) : default);
        Assert.Equal(0, (await serve.RunAsync("app", "delete", "typo")).Code);

        (code, output, error) = await serve.RunAsync("app", "create", manifest, "--json");
        JsonElement app = JsonSerializer.Deserialize<JsonElement>(output);
        Assert.Equal((1, "broken"), (code, app.GetProperty("state").GetString()));
        Assert.Contains("SyntaxError", app.GetProperty("reason").GetString());
    }

    [Fact]
    public async Task An_app_that_keeps_no_slave_warm_is_waited_for_too()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await using NodeControlClient client = await NodeControlClient.ConnectAsync($"ipc://{_folder["control.sock"]}");
        AppSummary app = await client.CreateReadyAsync(Text(_folder.Manifest("a", 0, "\"pool-minimum\": 0"))).WaitAsync(Long);
        Assert.Equal(("running", 1, null), (app.State, app.Slaves, app.Reason));
    }

    [Fact]
    public async Task Slow_code_is_waited_for_no_longer_than_the_startup_timeout_and_holds_nobody_up()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await using NodeControlClient client = await NodeControlClient.ConnectAsync($"ipc://{_folder["control.sock"]}");
        Task<AppSummary> slow = client.CreateReadyAsync(Text(Manifest("slow", "import time\ntime.sleep(600)\n", "\"startup-timeout\": 3")));
        await daemon.UntilLogAsync("app slow");
        long start = Stopwatch.GetTimestamp();
        AppSummary quick = await client.CreateReadyAsync(Text(_folder.Manifest("quick"))).WaitAsync(Long); // on the same connection
        Assert.Null(quick.Reason);
        Assert.Equal(["quick", "slow"], (await client.ListAsync()).Select(app => app.App));
        Assert.Equal("no slave was ready within the startup-timeout of 3 s", (await slow.WaitAsync(Long)).Reason);
        Assert.InRange(Stopwatch.GetElapsedTime(start), TimeSpan.Zero, TimeSpan.FromSeconds(30));
        await client.DeleteAsync("slow", TimeSpan.Zero);
    }

    [Fact]
    public async Task Who_waits_hears_that_the_app_was_replaced_or_deleted_meanwhile()
    {
        await using TestDaemon daemon = await TestDaemon.StartAsync(_folder);
        await using NodeControlClient client = await NodeControlClient.ConnectAsync($"ipc://{_folder["control.sock"]}");
        foreach (bool replaces in (bool[])[true, false])
        {
            string name = replaces ? "mended" : "gone";
            ManifestText stuck = Text(Manifest(name, "import time\ntime.sleep(600)\n", "\"startup-timeout\": 600, \"termination-timeout\": 1"));
            Task<AppSummary> waits = client.CreateReadyAsync(stuck);
            await daemon.UntilLogAsync($"app {name}");
            if (replaces)
            {
                Assert.True((await client.ReplaceAsync(Text(_folder.Manifest(name, 1))).WaitAsync(Long)).Replaced);
                AppSummary app = await waits.WaitAsync(Long);
                Assert.Equal((1, null), (app.Version, app.Reason));
            }
            else
            {
                await client.DeleteAsync(name, TimeSpan.Zero).WaitAsync(Long);
                CocaineException gone = await Assert.ThrowsAsync<CocaineException>(() => waits.WaitAsync(Long));
                Assert.Equal((404, "app gone was deleted before its first slave was ready"), (gone.Code, gone.Message));
            }
        }
    }

    private static ManifestText Text(string file) => new(File.ReadAllBytes(file), file);

    private string Manifest(string name, string code, string engine = "")
    {
        _folder.Write($"{name}.py", code);
        return _folder.Write($"{name}.json", $$"""
            { "type": "python", "args": "{{name}}.py", "engine": { {{engine}} },
              "tasks": { "echo": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0" } } }
            """);
    }
}
