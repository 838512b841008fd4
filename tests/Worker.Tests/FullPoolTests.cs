using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Worker.Tests;

/// <summary>An app in a thread that has filled the thread pool of its node with work that waits.</summary>
[Collection(nameof(Alone))]
public sealed class FullPoolTests : IDisposable
{
    /// <summary>
    /// Each answer on its own, on a machine that is busy with other things; were control behind the app's work, it would take minutes: the
    /// pool gets one or two threads a second, and 500 items wait before it.
    /// </summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(2);

    /// <summary>Of the delete with a stuck job: its drain-timeout and its slave's termination-timeout, 1.3 s together, are within.</summary>
    private static readonly TimeSpan SoonAfterTimeouts = Soon + TimeSpan.FromSeconds(3);

    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task The_node_is_controlled_and_stopped_as_if_nothing_were()
    {
        string gate = _folder["gate"];
        using ServeProcess serve = await ServeProcess.StartAsync(_folder);
        await using NodeControlClient control = await serve.ConnectAsync();
        string endpoint = (await control.CreateReadyAsync(Manifest("fills")).WaitAsync(Soon)).Endpoints[0];
        await control.CreateReadyAsync(Manifest("other")).WaitAsync(Soon);
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Assert.Equal("filled", Encoding.UTF8.GetString(await client.CallAsync("fills", Utf8.Of(gate)).WaitAsync(Soon)));

        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(["fills", "other"], (await control.ListAsync().WaitAsync(Soon)).Select(app => app.App));
            Assert.Contains("\"pool\"", await control.InfoJsonAsync("fills").WaitAsync(Soon));
            await control.PauseAsync("other").WaitAsync(Soon);
            await control.ResumeAsync("other").WaitAsync(Soon);
            await control.ReplaceAsync(Manifest("other"), force: true).WaitAsync(Soon);
        }

        IAsyncEnumerator<NodeEvent> events = control.EventsAsync("other", follow: true).GetAsyncEnumerator();
        Assert.True(await events.MoveNextAsync().AsTask().WaitAsync(Soon));
        await control.DeleteAsync("other", TimeSpan.FromSeconds(5)).WaitAsync(Soon);
        await using NodeControlClient second = await serve.ConnectAsync().WaitAsync(Soon);
        Assert.Single(await second.ListAsync().WaitAsync(Soon));

        // A job that would not end: the drain-timeout of the delete must fire, too.
        Task<byte[]> stuck = client.CallAsync("until", Utf8.Of(gate));
        await client.InfoAsync().WaitAsync(Soon);
        await second.DeleteAsync("fills", TimeSpan.FromMilliseconds(300)).WaitAsync(SoonAfterTimeouts);
        Assert.Equal(503, (await Assert.ThrowsAsync<CocaineException>(() => stuck.WaitAsync(Soon))).Code);

        serve.Signal("TERM");
        Stopwatch stop = Stopwatch.StartNew();
        Assert.Equal(0, await serve.ExitAsync());
        Assert.InRange(stop.Elapsed, TimeSpan.Zero, Soon);
    }

    private ManifestText Manifest(string name)
    {
        string path = _folder.Write($"{name}.json", $$"""
            { "type": "dotnet", "args": "{{Repository.Root}}/tests/dotnet-apps/bin/Release/net10.0/DotNetApps.dll:Cocaine.TestApps.Hanging",
              "engine": { "backend": "thread", "pool-limit": 2, "heartbeat-timeout": 600, "termination-timeout": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "ipc://{{_folder[name + ".sock"]}}", "events": "*" } } }
            """);
        return new ManifestText(File.ReadAllBytes(path), path);
    }
}
