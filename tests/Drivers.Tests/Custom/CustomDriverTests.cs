using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Custom;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;

namespace Cocaine.Fast.Drivers.Tests.Custom;

/// <summary>Drivers that the embedding program brings.</summary>
public class CustomDriverTests
{
    /// <summary>The project is a reference of the tests, so that it is built with them.</summary>
    [Fact]
    public async Task The_worked_example_runs()
    {
        string program = Path.Combine(Repository.Root, "examples/driver/bin/Release/net10.0/Driver.dll");
        using Process process = Process.Start(new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        Assert.Matches("^ready task=shout endpoint=udp://127.0.0.1:[0-9]+\nHELLO\nreceived: 1\n$", await output);
        Assert.Equal((0, ""), (process.ExitCode, await error));
    }

    [Fact]
    public void The_worked_example_in_the_documentation_is_the_one_that_runs()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs/drivers.md"));
        string[] code = File.ReadAllLines(Path.Combine(Repository.Root, "examples/driver/UdpListener.cs"));
        string indented = string.Join('\n', code.Select(line => line.Length == 0 ? "" : "    " + line));
        Assert.Contains(indented, page);
    }

    [Fact]
    public async Task Calls_are_answered_refused_and_given_up()
    {
        ProbeDriver driver = new();
        await using CocaineNode node = await StartAsync(driver);
        Assert.Equal(["hello"], Texts(await driver.Jobs.CallAsync(Utf8.Of("hello"))));
        Assert.Equal(["1", "2", "3"], Texts(await driver.Other("count").CallAsync(Utf8.Of("3"))));
        JobException failed = await Assert.ThrowsAsync<JobException>(() => driver.Other("fail").CallAsync(Utf8.Of("no luck")));
        Assert.Equal((1000, 502, "ValueError: no luck"), (failed.Category, failed.Code, failed.Message));
        Assert.True(failed.JobId > 0);
        Assert.Null(failed.RetryAfter);

        using CancellationTokenSource giveUp = new();
        Task<IReadOnlyList<byte[]>> sleeping = driver.Other("sleep").CallAsync(Utf8.Of("30"), giveUp.Token);
        await node.Apps[0].UntilInfoShowsAsync("\"running\":1");
        await giveUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleeping);
        await node.Apps[0].UntilInfoShowsAsync("\"cancelled\":1");
    }

    [Fact]
    public async Task Jobs_from_many_threads_are_all_run_or_refused()
    {
        ProbeDriver driver = new();
        await using CocaineNode node = await StartAsync(driver);
        ConcurrentBag<string> answers = [];
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                string text = $"{thread}-{i}";
                Assert.Equal([text], Texts(await driver.Jobs.CallAsync(Utf8.Of(text))));
                answers.Add(text);
                Assert.True(driver.Jobs.Post(Utf8.Of(text)));
            }
        })));
        Assert.Equal(800, answers.Distinct().Count());
        await node.StopAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(1600UL, node.Apps[0].Engine.Counters.JobsAccepted + node.Apps[0].Engine.Counters.JobsRejected);
        Assert.False(driver.Jobs.Post("late"u8));
        Assert.Equal(500, (await Assert.ThrowsAsync<JobException>(() => driver.Jobs.CallAsync(Utf8.Of("late")))).Code);
        Assert.Equal(["start", "stop taking", "close"], driver.Calls.Where(call => call.StartsWith("echo", StringComparison.Ordinal)).Select(call => call[5..]));
    }

    [Fact]
    public async Task A_driver_that_cannot_start_fails_the_app_and_closes_the_others()
    {
        ProbeDriver driver = new() { Problem = new System.Net.Sockets.SocketException(98) };
        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => StartAsync(driver));
        Assert.StartsWith("app behaviours: task fail: ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("in use", failure.Message);
        Assert.Contains("echo close", driver.Calls);
    }

    [Fact]
    public void A_name_that_the_node_has_a_driver_for_is_refused()
    {
        Dictionary<string, Func<CustomDriver>> drivers = new() { ["cron"] = () => null! };
        Assert.Contains("has a driver cron already",
            Assert.Throws<ArgumentException>(() => new CocaineNode(new NodeOptions { Locator = null, Drivers = drivers })).Message);
    }

    private static async Task<CocaineNode> StartAsync(ProbeDriver driver)
    {
        Dictionary<string, Func<CustomDriver>> drivers = new() { ["probe"] = driver.ForTask };
        CocaineNode node = new(new NodeOptions { Loops = 1, Locator = null, Drivers = drivers });
        node.Start();
        try
        {
            string[] events = ["echo", "count", "fail", "sleep"];
            RunningApp app = await node.AddAsync(TestApps.Python("behaviours.py", new EngineSettings { QueueLimit = 10_000, PoolLimit = 2 }) with
            {
                Tasks = [.. events.Select(name => new TaskManifest { Name = name, DriverType = "probe" })],
            });
            await app.Ready.WaitAsync(TimeSpan.FromSeconds(20));
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    private static IEnumerable<string> Texts(IReadOnlyList<byte[]> chunks) => chunks.Select(Encoding.UTF8.GetString);

    /// <summary>One for all tasks: hands out their ways to jobs, and notes what the node calls.</summary>
    private sealed class ProbeDriver
    {
        private readonly Dictionary<string, TaskJobs> _jobs = [];

        public ConcurrentQueue<string> Calls { get; } = new();

        public Exception? Problem { get; init; }

        public TaskJobs Jobs => _jobs["echo"];

        public TaskJobs Other(string task) => _jobs[task];

        public CustomDriver ForTask() => new Part(this);

        private sealed class Part(ProbeDriver probe) : CustomDriver
        {
            private string _task = "";

            public override void Start(TaskJobs jobs)
            {
                _task = jobs.Task.Name;
                if (_task == "fail" && probe.Problem is { } problem)
                {
                    throw problem;
                }

                probe._jobs[_task] = jobs;
                probe.Calls.Enqueue($"{_task} start");
            }

            public override void StopTaking() => probe.Calls.Enqueue($"{_task} stop taking");

            public override void Close()
            {
                probe.Calls.Enqueue($"{_task} close");
                throw new InvalidOperationException("a fault of the program's"); // is logged, and stops nothing
            }
        }
    }
}
