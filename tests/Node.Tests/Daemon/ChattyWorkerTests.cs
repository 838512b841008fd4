using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Control;
using Cocaine.Fast.Node.Journal;

namespace Cocaine.Fast.Node.Tests.Daemon;

/// <summary>What a worker writes without an end costs its node a bounded memory, whoever reads it.</summary>
public class ChattyWorkerTests
{
    /// <summary>Of the longest lines, which wait as text in several places: enough to fill every one of them many times over.</summary>
    private const int OutputBytes = 300_000_000;

    /// <summary>
    /// What waits is 16 MB for the log, 2 MB for each reader and 2 MB that are kept; the rest is what the collector leaves until it has a
    /// reason, up to 150 MB here. With bounds in lines alone it grew by 330 MB.
    /// </summary>
    private const long MaxGrowthBytes = 230L << 20;

    [Fact]
    public async Task A_flood_of_long_lines_with_a_follower_leaves_the_memory_bounded()
    {
        using TestFolder folder = new();
        folder.Write("app.py", """
            import os
            def flood(request):
                line, left = b"x" * 16383 + b"\n", int(request)
                while left > 0:
                    left -= os.write(1, line * 4)
                return b"written"
            """);
        string manifest = $$"""
            { "name": "chatty", "type": "python", "args": "app.py", "engine": { "heartbeat-timeout": 120 },
              "tasks": { "flood": { "type": "native-server", "endpoint": "ipc://{{folder["flood.sock"]}}" } } }
            """;
        using ServeProcess serve = await ServeProcess.StartAsync(folder);
        await using NodeControlClient node = await serve.ConnectAsync();
        await node.CreateAsync(new ManifestText(Encoding.UTF8.GetBytes(manifest), folder["app.json"]));
        using CancellationTokenSource enough = new();
        Task follower = FollowAsync(serve, enough.Token);
        await using CocaineClient client = await CocaineClient.ConnectAsync($"ipc://{folder["flood.sock"]}");
        await client.CallAsync("flood", "1000000"u8.ToArray());
        long before = RssOf(serve);
        await client.CallAsync("flood", Encoding.ASCII.GetBytes($"{OutputBytes}"));
        long growth = RssOf(serve) - before;
        await enough.CancelAsync();
        await follower;
        Assert.True(growth < MaxGrowthBytes, $"the node grew from {before >> 20} MiB by {growth >> 20} MiB");
    }

    private static async Task FollowAsync(ServeProcess serve, CancellationToken enough)
    {
        try
        {
            await using NodeControlClient node = await serve.ConnectAsync();
            await foreach (LogLine _ in node.LogsAsync("chatty", follow: true, enough))
            {
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private static long RssOf(ServeProcess serve)
    {
        serve.Process.Refresh();
        return serve.Process.WorkingSet64;
    }
}
