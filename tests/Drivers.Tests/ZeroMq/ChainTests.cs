using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cocaine.Fast.Drivers.Tests.ZeroMq;

/// <summary>examples/chain with the program itself: run, push.py, watch.</summary>
[Collection(nameof(Alone))]
public sealed class ChainTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");
    private readonly string _folder = Directory.CreateTempSubdirectory("chain-").FullName;
    private readonly List<Process> _processes = [];

    [Fact]
    public async Task What_is_pushed_into_the_first_app_is_watched_at_the_end_of_the_chain()
    {
        string[] ports = FreePorts(3);
        foreach (string file in Directory.GetFiles(Path.Combine(Repository.Root, "examples/chain")))
        {
            string text = File.ReadAllText(file).Replace("9300", ports[0]).Replace("9301", ports[1]).Replace("9302", ports[2]);
            File.WriteAllText(Path.Combine(_folder, Path.GetFileName(file)), text);
        }

        Process node = Start(Program, "run", At("readings.json"), At("alarms.json"), "--locator", "none");
        await LineAsync(node, $"^ready app=alarms pubsub=tcp://127.0.0.1:{ports[2]}$");
        Process json = Start(Program, "watch", $"tcp://127.0.0.1:{ports[2]}", "--json", "--topic", "alarms:check alarm");
        Process people = Start(Program, "watch", $"tcp://lo:{ports[2]}", "--topic", "alarms:check");

        // All three subscriptions must have arrived first: the people's watch shows what the engine publishes, the others are asked for
        // until they answer.
        Match engine = await LineAsync(people, @"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  alarms:check  )time-in-queue   \{""p50"":");
        string[] alarms = await PushUntilAsync(json, ports[1]);
        JsonElement alarm = JsonSerializer.Deserialize<JsonElement>(alarms[0]);
        Assert.Equal(["time", "source", "field", "host", "value"], alarm.EnumerateObject().Select(property => property.Name));
        Assert.Equal(
            ("alarms:check", "alarm", Dns.GetHostName(), "oven is too hot: 374.0 F"),
            (Text("source"), Text("field"), Text("host"), Text("value")));
        Assert.InRange((DateTimeOffset.UtcNow - alarm.GetProperty("time").GetDateTimeOffset()).TotalSeconds, -1, 60);
        Match line = await LineAsync(people, @"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}  alarms:check  )alarm           oven is too hot: 374.0 F$");
        Assert.Equal(engine.Groups[1].Length, line.Groups[1].Length); // columns stand one below the other
        await LineAsync(people, @"  since           \d{10}\.\d+$");

        // One whose reader has gone ends by itself.
        using Process piped = Process.Start("/bin/bash", ["-c", $"set -o pipefail; '{Program}' watch tcp://127.0.0.1:{ports[2]} | head -n 1 >/dev/null"])!;
        await piped.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(0, piped.ExitCode);

        // Interrupted they end as they are meant to; the node drains.
        foreach (Process process in (Process[])[json, people, node])
        {
            using Process kill = Process.Start("/bin/kill", ["-INT", $"{process.Id}"])!;
            await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
            Assert.Equal(0, process.ExitCode);
        }

        string Text(string property) => alarm.GetProperty(property).GetString()!;
    }

    [Fact]
    public async Task A_watch_of_nothing_says_so()
    {
        Process watch = Start(Program, "watch", "tcp://127.0.0.1:1");
        await watch.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(3, watch.ExitCode);
        Assert.StartsWith("cannot connect to tcp://127.0.0.1:1: ", await watch.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        Process other = Start(Program, "watch", $"tcp://{silent.LocalEndpoint}"); // an app's native-server, say
        await other.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(3, other.ExitCode);
        Assert.Contains("does not speak ZeroMQ", await other.StandardError.ReadToEndAsync(), StringComparison.Ordinal);
        Process wrong = Start(Program, "watch", "127.0.0.1");
        await wrong.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(2, wrong.ExitCode);
    }

    public void Dispose()
    {
        foreach (Process process in _processes)
        {
            if (!process.HasExited)
            {
                process.Kill();
            }

            process.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string[] FreePorts(int count)
    {
        TcpListener[] listeners = [.. Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0))];
        Array.ForEach(listeners, listener => listener.Start());
        string[] ports = [.. listeners.Select(listener => $"{((IPEndPoint)listener.LocalEndpoint).Port}")];
        Array.ForEach(listeners, listener => listener.Dispose());
        return ports;
    }

    /// <summary>Pushes readings until the watcher shows the alarm; a subscription takes its time to arrive.</summary>
    private async Task<string[]> PushUntilAsync(Process watcher, string port)
    {
        Task<string?> line = watcher.StandardOutput.ReadLineAsync();
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (!line.IsCompleted)
        {
            limit.Token.ThrowIfCancellationRequested();
            Process push = Start("/usr/bin/python3", At("push.py"), $"tcp://127.0.0.1:{port}", "kitchen 21.5", "oven 190");
            await push.WaitForExitAsync(limit.Token);
            Assert.Equal(0, push.ExitCode);
            await Task.WhenAny(line, Task.Delay(100, limit.Token));
        }

        return [(await line)!];
    }

    private string At(string file) => Path.Combine(_folder, file);

    private Process Start(string program, params string[] arguments)
    {
        // A shell that runs the tests in the background has them ignore SIGINT, and so would this process.
        Process process = Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = program == Program && arguments[0] == "watch",
        })!;
        _processes.Add(process);
        return process;
    }

    private static async Task<Match> LineAsync(Process process, string pattern)
    {
        using CancellationTokenSource limit = new(TimeSpan.FromSeconds(60));
        while (true)
        {
            string line = await process.StandardOutput.ReadLineAsync(limit.Token) ?? throw new EndOfStreamException($"no line {pattern}");
            if (Regex.Match(line, pattern) is { Success: true } match)
            {
                return match;
            }
        }
    }
}
