using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Host.Tests.Survival;

/// <summary>The end of a node that still has jobs: by its drain-timeout, and by a second signal.</summary>
[Collection(nameof(Alone))]
public sealed class StopTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    private readonly string _folder = Directory.CreateTempSubdirectory("stop-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("0.3", null, 0)]
    [InlineData("600", "INT", 1)]
    public async Task Jobs_that_outlast_the_drain_timeout_or_a_second_signal_get_503_and_nothing_of_the_workers_stays(
        string drainTimeout, string? second, int exitCode)
    {
        using Process node = Start(drainTimeout);
        string log = "";
        node.ErrorDataReceived += (_, line) => log += line.Data;
        node.BeginErrorReadLine();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        string ready = (await node.StandardOutput.ReadLineAsync(limit.Token))!;
        string endpoint = ready[(ready.IndexOf("endpoint=", StringComparison.Ordinal) + 9)..];
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        string[] processes = Encoding.UTF8.GetString(await client.CallAsync("spawn", Utf8.Of(""))).Split(' '); // the worker, and a child of its own
        string never = Path.Combine(_folder, "never");
        Task<byte[]>[] jobs = [client.CallAsync("hold", Utf8.Of(never)), client.CallAsync("hold", Utf8.Of(never))];
        await client.InfoAsync(); // behind them on the same connection: the node has them
        await SignalAsync(node, "TERM");
        if (second is not null)
        {
            await UntilRefusedAsync(endpoint, limit.Token); // then the first signal was heard
            await SignalAsync(node, second);
        }

        foreach (Task<byte[]> job in jobs)
        {
            CocaineException failure = await Assert.ThrowsAsync<CocaineException>(() => job.WaitAsync(limit.Token));
            Assert.Equal((503, "the node stops"), (failure.Code, failure.Message));
        }

        await node.WaitForExitAsync(limit.Token);
        Assert.Equal(exitCode, node.ExitCode);
        while (processes.Any(IsAlive))
        {
            await Task.Delay(5, limit.Token);
        }

        Assert.Contains(second is null ? "the drain-timeout is over" : "a second signal came", log);
    }

    private Process Start(string drainTimeout)
    {
        string manifest = Path.Combine(_folder, "behaviours.json");
        File.WriteAllText(manifest, $$"""
            { "type": "python", "args": "{{Repository.Root}}/tests/apps/behaviours.py", "engine": { "pool-limit": 1 },
              "tasks": { "event": { "type": "native-server", "endpoint": "tcp://127.0.0.1:0", "events": "*" } } }
            """);

        // A shell that runs the tests in the background has them ignore these signals, and so would the program.
        string[] words = ["run", manifest, "--locator", "none", "--ledger-folder", Path.Combine(_folder, "ledger")];
        return Process.Start(new ProcessStartInfo(
            "env", ["--default-signal=INT,QUIT", Program, .. words, "--drain-timeout", drainTimeout])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
    }

    /// <summary>A node that stops listens no longer.</summary>
    private static async Task UntilRefusedAsync(string endpoint, CancellationToken limit)
    {
        int port = int.Parse(endpoint[(endpoint.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture);
        while (true)
        {
            using Socket socket = new(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync("127.0.0.1", port, limit);
            }
            catch (SocketException failure)
            {
                if (failure.SocketErrorCode == SocketError.ConnectionRefused)
                {
                    return; // and not reset, as one is that was still to be accepted
                }
            }
        }
    }

    private static async Task SignalAsync(Process process, string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{process.Id}"]);
        await kill.WaitForExitAsync();
    }

    private static bool IsAlive(string process)
    {
        try
        {
            return !File.ReadAllText($"/proc/{process}/status").Contains("State:\tZ");
        }
        catch (IOException)
        {
            return false;
        }
    }
}
