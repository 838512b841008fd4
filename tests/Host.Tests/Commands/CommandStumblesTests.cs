using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Client;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Load;

namespace Cocaine.Fast.Host.Tests.Commands;

/// <summary>Commands that are pointed at the wrong thing say what is wrong.</summary>
[Collection(nameof(Alone))]
public sealed class CommandStumblesTests
{
    [Fact]
    public async Task A_call_of_an_unknown_event_hears_those_that_are_there_and_the_nearest()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1).With(
            Versions.Server("first", 0, "hello", "bye"), Versions.Server("second", 0, "report")));
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);
        const string Here = "no such event here; events here: hello, bye, report";
        Assert.Equal($"{Here}; did you mean 'hello'?", await RefusalAsync("helo"));
        Assert.Equal($"{Here}; did you mean 'report'?", await RefusalAsync("repord")); // of its sibling, which is served here too
        Assert.Equal(Here, await RefusalAsync("xyzzy"));
        Assert.Equal(Here, await RefusalAsync(new string('x', 256)));
        await Assert.ThrowsAsync<FormatException>(() => client.TextAsync(new string('x', 257)));
        LoadOptions load = new(app.Endpoints[0].Endpoint, new string('é', 129), 1, 1, 64, TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<FormatException>(() => LoadRunner.RunAsync(load));
        for (int i = 0; i < 12; i++)
        {
            await RefusalAsync("xyzzy");
        }

        Assert.Equal("no such event here", await RefusalAsync("helo")); // one that goes on gets no more searches
        Assert.Equal(0, (await app.InfoAsync()).GetProperty("jobs").GetProperty("accepted").GetInt64());

        async Task<string> RefusalAsync(string name)
        {
            CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync(name));
            Assert.Equal((1000, 404), (refused.Category, refused.Code));
            return refused.Message;
        }
    }

    [Fact]
    public async Task Many_events_are_listed_up_to_a_bound_and_a_door_for_all_names_lists_none()
    {
        await using TestNode node = TestNode.Start();
        string[] many = [.. Enumerable.Range(10, 20).Select(i => $"event-{i}")];
        RunningApp app = await node.AddAsync(Versions.Python(1).With(Versions.Server("many", 0, many)));
        await using CocaineClient client = await CocaineClient.ConnectAsync(app.Endpoints[0].Endpoint);
        CocaineException refused = await Assert.ThrowsAsync<CocaineException>(() => client.TextAsync("none-of-them"));
        Assert.EndsWith("event-24, event-25 and 4 more", refused.Message);
        RunningApp any = await node.AddAsync(Versions.Python(1) with { Name = "any" });
        await using CocaineClient other = await CocaineClient.ConnectAsync(any.Endpoints[0].Endpoint);
        refused = await Assert.ThrowsAsync<CocaineException>(() => other.TextAsync(""));
        Assert.Equal("no such event here: an event's name has 1 to 256 bytes", refused.Message);
    }

    [Fact]
    public async Task A_terminal_gets_a_new_line_behind_the_answer_and_a_pipe_does_not()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        string endpoint = app.Endpoints[0].Endpoint;
        Assert.Equal((0, "hello", ""), await RunAsync(ServeProcess.Program, "call", endpoint, "echo", "--data", "hello"));
        Assert.Equal("hello\r\n", await OnTerminalAsync("hello"));
        Assert.Equal("hello\r\n", await OnTerminalAsync("hello\n"));
        Assert.Equal("", await OnTerminalAsync(""));

        async Task<string> OnTerminalAsync(string data)
        {
            string words = string.Join(", ", new[] { ServeProcess.Program, "call", endpoint, "echo", "--data", data }.Select(
                word => $"'{word.Replace("\n", "\\n")}'"));
            (int code, string output, string error) = await RunAsync(
                "/usr/bin/python3", "-c", $"import pty, sys; sys.exit(pty.spawn([{words}]) >> 8)");
            Assert.Equal((0, ""), (code, error));
            return output.Replace("\u001b[?1h\u001b=", "").Replace("\u001b[?1l\u001b>", ""); // what .NET sets up a terminal with
        }
    }

    [Fact]
    public async Task A_watch_of_what_is_no_publisher_says_what_it_is()
    {
        using ZeroMqPeer peer = new();
        int port = await peer.BindAsync("router", "ROUTER");
        (int code, _, string error) = await RunAsync(ServeProcess.Program, "watch", $"tcp://127.0.0.1:{port}");
        Assert.Equal(3, code);
        Assert.Contains("does not speak ZeroMQ pubsub: a ZeroMQ socket of type ROUTER, which publishes nothing, answers there", error);

        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        (code, _, error) = await RunAsync(ServeProcess.Program, "watch", app.Endpoints[0].Endpoint);
        Assert.Equal(3, code);
        Assert.Contains("does not speak ZeroMQ pubsub: nothing that speaks ZeroMQ answers there", error);
        Assert.DoesNotContain("no message", node.Log); // and the app that was asked has no garbage in its log

        using TcpListener rude = new(IPAddress.Loopback, 0);
        rude.Start();
        Task closes = Task.Run(async () => (await rude.AcceptTcpClientAsync()).Dispose());
        (code, _, error) = await RunAsync(ServeProcess.Program, "watch", $"tcp://{rude.LocalEndpoint}");
        await closes;
        Assert.Equal(3, code);
        Assert.Contains("nothing that speaks ZeroMQ answers there", error);
    }

    [Fact]
    public async Task A_bench_of_an_event_that_does_not_echo_says_why_it_fails()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1, new EngineSettings { QueueLimit = 100 }));
        (int code, _, string error) = await RunAsync(
            ServeProcess.Program, "bench", app.Endpoints[0].Endpoint, "extra", "--connections", "1", "--in-flight", "1", "--duration", "0.2");
        Assert.Equal(1, code);
        Assert.Contains("answers are not their requests: bench needs an event that echoes, and extra does not", error);
    }

    [Fact]
    public async Task No_failed_jobs_are_an_answer_of_why()
    {
        await using TestNode node = TestNode.Start();
        RunningApp app = await node.AddAsync(Versions.Python(1));
        await using CocaineClient client = await TestNode.ConnectAsync(app);
        await client.TextAsync("echo", "x");
        Assert.Equal((0, "", "no failed jobs\n"), await WhyAsync("--last-failed"));
        Assert.Equal((0, "[]\n", "no failed jobs\n"), await WhyAsync("--last-failed", "--json"));
        Assert.Equal(1, (await WhyAsync("4711")).Code);

        Task<(int Code, string Output, string Error)> WhyAsync(params string[] words) =>
            RunAsync(ServeProcess.Program, ["why", .. words, "--folder", node.LedgerDirectory]);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token);
        return (process.ExitCode, await output, await error);
    }
}
