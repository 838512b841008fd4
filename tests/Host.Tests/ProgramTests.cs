using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Client;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Host.Tests;

/// <summary>The program itself, as a user starts it.</summary>
[Collection(nameof(Alone))]
public sealed class ProgramTests
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");
    private static readonly string Echo = Path.Combine(Repository.Root, "examples/echo/manifest.json");

    [Fact]
    public async Task It_says_ready_serves_and_ends_with_0_on_sigterm()
    {
        using Process node = Start("run", Echo, "--locator", "none");
        string endpoint = await ReadyAsync(node);
        (int code, string answer, _) = await RunAsync("call", endpoint, "echo", "--data", "hello");
        Assert.Equal((0, "hello"), (code, answer));
        (code, _, string error) = await RunAsync("call", endpoint, "nothing");
        Assert.Equal(1, code);
        Assert.StartsWith("error 404: ", error, StringComparison.Ordinal);
        Signal(node.Id, "TERM");
        await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(15)).Token);
        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task A_stop_waits_for_a_job_that_takes_longer_than_a_moment()
    {
        using Process node = Start("run", Echo, "--locator", "none");
        string endpoint = await ReadyAsync(node);
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Task<byte[]> slow = client.CallAsync("slow", Utf8.Of("4"));
        await client.InfoAsync(); // behind it on the same connection: the node has the job
        Signal(node.Id, "TERM");
        Assert.Equal("done", Encoding.UTF8.GetString(await slow));
        await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task Call_says_which_job_failed_and_when_to_come_again()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new Core.Manifest.EngineSettings { PoolLimit = 1, QueueLimit = 1 }));
        string endpoint = app.Endpoints[0].Endpoint;
        (int code, _, string error) = await RunAsync("call", endpoint, "fail", "--data", "no luck");
        Assert.Equal((1, "error 502: ValueError: no luck (job 1)\n"), (code, error));
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        string release = Path.Combine(Path.GetTempPath(), $"release-{Guid.NewGuid():N}");
        Task<byte[]>[] held = [client.CallAsync("hold", Utf8.Of(release)), client.CallAsync("hold", Utf8.Of(release))];
        await app.UntilInfoShowsAsync("\"queued\":1");
        (code, _, error) = await RunAsync("call", endpoint, "echo", "--data", "x");
        Assert.Equal(1, code);
        Assert.Matches(@"^error 503: the queue is full: 1 jobs wait \(job 4; retry after [0-9]+ s\)\n$", error);
        File.WriteAllText(release, "");
        await Task.WhenAll(held);
        File.Delete(release);
    }

    [Fact]
    public async Task An_app_without_endpoints_is_ready_task_by_task()
    {
        using Process node = Start("run", Path.Combine(Repository.Root, "examples/timers/manifest.json"), "--locator", "none");
        _ = node.StandardError.ReadToEndAsync();
        CancellationToken limit = new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
        List<string?> lines = [];
        for (int i = 0; i < 4; i++)
        {
            lines.Add(await node.StandardOutput.ReadLineAsync(limit));
        }

        Assert.Equal(
            ["ready app=timers task=beat", "ready app=timers task=poll", "ready app=timers task=nightly", "ready app=timers task=plan"], lines);
        Signal(node.Id, "TERM");
        await node.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(15)).Token);
        Assert.Equal(0, node.ExitCode);
    }

    [Fact]
    public async Task Killed_it_leaves_no_worker_and_no_file_behind()
    {
        HashSet<string> before = [.. Directory.EnumerateFileSystemEntries("/dev/shm"), .. OurFilesInTmp()];
        string ledgers = Path.Combine(Path.GetTempPath(), $"ledger-{Guid.NewGuid():N}"); // meant to stay
        using Process node = Start("run", Echo, "--locator", "none", "--ledger-folder", ledgers);
        string endpoint = await ReadyAsync(node);
        await using CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        Assert.Equal("x", Encoding.UTF8.GetString(await client.CallAsync("echo", Utf8.Of("x"))));
        int[] workers = Children(node.Id);
        Assert.NotEmpty(workers);
        Signal(node.Id, "KILL");
        long limit = Stopwatch.GetTimestamp() + Stopwatch.Frequency;
        while (workers.Any(IsAlive))
        {
            Assert.True(Stopwatch.GetTimestamp() < limit, "a worker outlived its node by more than 1 s");
            await Task.Yield();
        }

        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries("/dev/shm").Concat(OurFilesInTmp()), file => !before.Contains(file));
        Directory.Delete(ledgers, recursive: true);
    }

    [Fact]
    public async Task Wrong_manifests_and_missing_nodes_have_their_exit_codes()
    {
        (int code, _, string report) = await RunAsync("check", Path.Combine(Repository.Root, "tests/manifests/broken.json"));
        Assert.Equal(2, code);
        Assert.Contains("did you mean 'native-server'?", report);
        Assert.Equal(0, (await RunAsync("check", Echo)).Code);
        string named = Path.Combine(Repository.Root, "examples/chain/alarms.json"), name = "  \"name\": ";
        int line = 1 + Array.FindIndex(await File.ReadAllLinesAsync(named), text => text.StartsWith(name, StringComparison.Ordinal));
        (code, _, report) = await RunAsync("check", named, named);
        Assert.Equal((2, $"{named}:{line}:{name.Length + 1}: $.name: another manifest has the name 'alarms' already\n"), (code, report));
        Assert.Equal(2, (await RunAsync("run", "/nowhere.json")).Code);
        Assert.Equal(3, (await RunAsync("call", "tcp://127.0.0.1:1", "echo")).Code);
    }

    private static Process Start(params string[] arguments) => Process.Start(new ProcessStartInfo(Program, arguments)
    {
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using Process process = Start(arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);
        return (process.ExitCode, await output, await error);
    }

    private static async Task<string> ReadyAsync(Process node)
    {
        _ = node.StandardError.ReadToEndAsync(); // or its pipe fills
        string line = await node.StandardOutput.ReadLineAsync(new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token) ?? "";
        Assert.StartsWith("ready app=echo task=echo endpoint=tcp://", line, StringComparison.Ordinal);
        return line[(line.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..];
    }

    private static void Signal(int process, string signal)
    {
        using Process kill = Process.Start("/bin/kill", [$"-{signal}", $"{process}"])!;
        kill.WaitForExit();
    }

    private static int[] Children(int process) => [.. Directory.EnumerateDirectories($"/proc/{process}/task")
        .SelectMany(thread => File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Select(int.Parse)];

    private static bool IsAlive(int process)
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

    private static IEnumerable<string> OurFilesInTmp() =>
        Directory.EnumerateFileSystemEntries("/tmp").Where(file => Path.GetFileName(file).Contains("cocaine", StringComparison.Ordinal));
}
