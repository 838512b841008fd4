using System.Globalization;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Languages.Tests.Flow;

/// <summary>
/// A node process with one worker, which has sixteen calls at once: from clients that are slow to read the answers, or with a handler that
/// is slow to read the requests. The worker must stay as large as it was, and with slow clients the node too.
/// </summary>
/// <param name="say">Takes the memory before and at most, of each transfer.</param>
internal sealed class SlowPeers(Action<string> say) : IAsyncDisposable
{
    private const int Calls = 16;
    private const int WarmMib = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(20); // of 2 GiB on a busy machine
    private static readonly byte[] Chunk = new byte[64 << 10];

    private readonly TestFolder _folder = new();
    private readonly List<CocaineClient> _clients = [];
    private ServeProcess? _node;
    private int _worker;

    /// <summary>What all calls together carry, MiB: several times what may be added to the memory.</summary>
    private static int TotalMib => int.Parse(
        Environment.GetEnvironmentVariable("COCAINE_SLOW_PEERS_MIB") ?? "192", CultureInfo.InvariantCulture);

    /// <summary>
    /// What node and worker may grow by, bytes: 256 KiB unread and 64 KiB more for each of sixteen calls, a ring of a MiB, each copied once
    /// or twice, and what their collectors leave lying.
    /// </summary>
    private const long RoomBytes = 20 << 20;

    public static async Task<SlowPeers> StartAsync(string type, string args, string backend, Action<string> say)
    {
        SlowPeers peers = new(say);
        try
        {
            peers._node = await ServeProcess.StartAsync(peers._folder);
            string socket = $"ipc://{peers._folder["app.sock"]}";
            string manifest = peers._folder.Write("slow.json", $$"""
                { "type": "{{type}}", "args": {{args}}, "engine": { "backend": "{{backend}}", "pool-limit": 1, "concurrency": {{Calls}} },
                  "tasks": { "all": { "type": "native-server", "endpoint": "{{socket}}", "events": "*" } } }
                """);
            await using (NodeControlClient control = await peers._node.ConnectAsync())
            {
                AppSummary made = await control.CreateReadyAsync(new ManifestText(await File.ReadAllBytesAsync(manifest), manifest));
                Assert.Null(made.Reason);
            }

            for (int i = 0; i < Calls; i++)
            {
                peers._clients.Add(await CocaineClient.ConnectAsync(socket)); // one a call: each is slow for itself
            }

            string pid = Encoding.UTF8.GetString(await peers._clients[0].CallAsync("pid", Array.Empty<byte>()));
            peers._worker = int.Parse(pid, CultureInfo.InvariantCulture);
            return peers;
        }
        catch
        {
            await peers.DisposeAsync();
            throw;
        }
    }

    /// <summary>Long answers to clients that begin to read late, and stop now and then.</summary>
    public Task DownloadAsync(string name) => StaysAsync(name, async (client, mib) =>
    {
        await using ClientCall call = client.Open(name);
        await call.WriteAsync(Utf8.Of($"{mib}"));
        await call.CompleteAsync();
        await Task.Delay(200);
        long size = 0, stop = 0;
        await foreach (ReadOnlyMemory<byte> chunk in call.ReadAllAsync())
        {
            size += chunk.Length;
            if (size - stop > 512 << 10)
            {
                stop = size;
                await Task.Delay(1);
            }
        }

        Assert.Equal((long)mib << 20, size);
    });

    /// <summary>Long requests to a handler that begins to read late, and waits after each chunk.</summary>
    public Task UploadAsync() => StaysAsync("swallows", async (client, mib) =>
    {
        await using ClientCall call = client.Open("swallows");
        for (int left = mib << 4; left > 0; left--)
        {
            await call.WriteAsync(Chunk);
        }

        await call.CompleteAsync();
        Assert.Equal($"{(long)mib << 20}", Encoding.UTF8.GetString((await call.ReadAsync())!.Value.Span));
        Assert.Null(await call.ReadAsync());
    });

    public async ValueTask DisposeAsync()
    {
        foreach (CocaineClient client in _clients)
        {
            await client.DisposeAsync();
        }

        _node?.Dispose();
        _folder.Dispose();
    }

    private async Task StaysAsync(string name, Func<CocaineClient, int, Task> call)
    {
        await AllAsync(call, WarmMib);
        (int Process, string What)[] watched = [(_node!.Process.Id, "node"), (_worker, "worker")];
        long[] before = [.. watched.Select(one => ResidentBytes(one.Process))];
        long[] most = [.. before];
        using CancellationTokenSource over = new();
        Task watching = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
            {
                for (int i = 0; i < watched.Length; i++)
                {
                    most[i] = Math.Max(most[i], ResidentBytes(watched[i].Process));
                }

                await Task.Delay(10);
            }
        });
        await AllAsync(call, TotalMib / Calls);
        await over.CancelAsync();
        await watching;
        long[] grew = [.. most.Zip(before, (most, before) => most - before)];
        string grown = string.Join(", ", watched.Select((one, i) => $"{one.What} {before[i] >> 10} to {most[i] >> 10} KiB"));
        say($"{name}, {TotalMib} MiB: {grown}");
        bool isInNode = _worker == _node.Process.Id; // then it is the room of both
        Assert.True(grew[0] < (isInNode ? 2 : 1) * RoomBytes, $"{name}: {grown}");
        Assert.True(isInNode || grew[1] < RoomBytes, $"{name}: {grown}");
    }

    /// <summary>The second number of statm: resident pages.</summary>
    private static long ResidentBytes(int process) =>
        long.Parse(File.ReadAllText($"/proc/{process}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    private Task AllAsync(Func<CocaineClient, int, Task> call, int mib) =>
        Task.WhenAll(_clients.Select(client => Task.Run(() => call(client, mib)))).WaitAsync(Patience);
}
