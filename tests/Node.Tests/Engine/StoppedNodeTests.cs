using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Cocaine.Fast.Client;
using MessagePack;

namespace Cocaine.Fast.Node.Tests.Engine;

/// <summary>
/// A node that is stopped for longer than any of its timeouts, alone or with its workers, as SIGSTOP, a debugger, docker pause and a
/// hypervisor do: no slave is silent because the node could not hear it, and an answer that is there is an answer.
/// </summary>
[Collection(nameof(Alone))]
public sealed class StoppedNodeTests : IDisposable
{
    private const int TimeoutMs = 1000, StopMs = 3 * TimeoutMs;

    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    private readonly string _folder = Directory.CreateTempSubdirectory("stopped-").FullName;

    private Process? _node;

    public void Dispose()
    {
        _node?.Kill();
        _node?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(false, "1")]
    [InlineData(true, "1")]
    [InlineData(false, "0")]
    [InlineData(true, "0")]
    public async Task A_node_that_slept_longer_than_its_timeouts_loses_no_job_and_kills_no_slave(bool withWorkers, string pipe)
    {
        Process node = Start(pipe);
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string log = "";
        node.ErrorDataReceived += (_, line) => log += line.Data + "\n";
        node.BeginErrorReadLine();
        string ready = (await node.StandardOutput.ReadLineAsync(limit.Token))!;
        string endpoint = ready[(ready.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..];
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        string release = Path.Combine(_folder, "release");
        Task<byte[]>[] jobs =
        [
            client.CallAsync("hold_beating", Utf8.Of(release)),
            client.CallAsync("hold_beating", Utf8.Of(release), new CallOptions { Timeout = TimeSpan.FromMilliseconds(TimeoutMs) }),
        ];
        int[] workers = await UntilBusyAsync(client, limit.Token);
        int[] stopped = withWorkers ? [node.Id, .. workers] : [node.Id];

        await SignalAsync("STOP", stopped);
        await File.WriteAllTextAsync(release, "", limit.Token);
        await Task.Delay(StopMs, limit.Token); // the stop itself
        await SignalAsync("CONT", stopped);

        foreach (Task<byte[]> job in jobs)
        {
            Assert.Equal("held", Encoding.UTF8.GetString(await job.WaitAsync(limit.Token)));
        }

        Assert.Equal(workers.Order(), (await UntilInfoAsync(client, info => info.Contains("\"idle\""), limit.Token)).Order());
        await SignalAsync("TERM", [node.Id]);
        await node.WaitForExitAsync(limit.Token);
        Assert.Equal(0, node.ExitCode);
        Assert.Contains("the event loop did not run for", log);
        Assert.DoesNotContain("is killed", log);
    }

    /// <summary>A slave that hangs is still found: it beats no more, and the node listens.</summary>
    [Fact]
    public async Task A_slave_that_is_silent_after_the_stop_is_killed()
    {
        Process node = Start("1");
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        node.ErrorDataReceived += (_, _) => { };
        node.BeginErrorReadLine();
        string ready = (await node.StandardOutput.ReadLineAsync(limit.Token))!;
        await using CocaineClient client = await CocaineClient.ConnectAsync(ready[(ready.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..]);
        Task<byte[]> job = client.CallAsync("hold", Utf8.Of(Path.Combine(_folder, "never")));
        await UntilInfoAsync(client, info => info.Contains("\"busy\""), limit.Token);

        await SignalAsync("STOP", [node.Id]);
        await Task.Delay(StopMs, limit.Token); // the stop itself
        await SignalAsync("CONT", [node.Id]);

        CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => job.WaitAsync(limit.Token));
        Assert.Equal(504, failure.Code);
    }

    private Process Start(string pipe)
    {
        File.WriteAllText(Path.Combine(_folder, "app.py"), """
            import asyncio, os, time

            async def hold_beating(request):
                path = request.decode()
                while not os.path.exists(path):
                    await asyncio.sleep(0.01)
                return b"held"

            def hold(request):
                while not os.path.exists(request.decode()):
                    time.sleep(0.005)
                return b"held"
            """);
        string manifest = Path.Combine(_folder, "app.json");
        File.WriteAllText(manifest, $$"""
            { "type": "python", "args": { "source": "app.py", "env": { "COCAINE_PIPE": "{{pipe}}" } },
              "engine": { "pool-limit": 2, "pool-minimum": 2, "heartbeat-timeout": "{{TimeoutMs}}ms", "startup-timeout": 20 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);
        return _node = Process.Start(new ProcessStartInfo(
            Program, ["run", manifest, "--locator", "none", "--ledger-folder", Path.Combine(_folder, "ledger")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    private static async Task<int[]> UntilBusyAsync(CocaineClient client, CancellationToken limit) =>
        await UntilInfoAsync(client, info => info.Split("\"busy\"").Length > 2, limit);

    /// <summary>Asks until it is so; the ids of the workers then.</summary>
    private static async Task<int[]> UntilInfoAsync(CocaineClient client, Predicate<string> isSo, CancellationToken limit)
    {
        while (true)
        {
            string info = MessagePackSerializer.ConvertToJson(await client.InfoAsync(limit));
            if (isSo(info))
            {
                using JsonDocument parsed = JsonDocument.Parse(info);
                return [.. parsed.RootElement.GetProperty("pool").GetProperty("slaves").EnumerateArray().Select(slave => slave.GetProperty("pid").GetInt32())];
            }
        }
    }

    private static async Task SignalAsync(string signal, int[] processes)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", .. processes.Select(process => $"{process}")]);
        await kill.WaitForExitAsync();
    }
}
