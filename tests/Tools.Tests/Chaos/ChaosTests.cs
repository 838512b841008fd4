using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Tools.Chaos;

namespace Cocaine.Fast.Tools.Tests.Chaos;

/// <summary>A chaos run as a user starts it, and that it sees what is wrong.</summary>
[Collection(nameof(Alone))]
public sealed class ChaosTests : IDisposable
{
    private static readonly string Program = Path.Combine(Repository.Root, "src/Host/bin/Release/net10.0/cocaine-fast");

    /// <summary>A run does everything once before anything twice; a busy machine takes its time for a reload, and a pool for its pauses.</summary>
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(35);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("chaos-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Everything_that_can_be_broken_is_broken_and_nothing_is_lost()
    {
        ChaosResult result = await RunAsync(new ChaosOptions
        {
            ManifestPath = Path.Combine(Repository.Root, "examples/echo/manifest.json"),
            Program = [Program],
            Seed = 7,
            Duration = Enough,
            ActionsPerSecond = 3,
            RequestsPerSecond = 500,
        });

        Assert.Empty(result.Faults);
        Assert.Contains("done", result.Outcomes);
        Assert.Contains(result.Actions, action => action is { Name: "kill and start the node", Done: > 0 });
        Assert.Contains(result.Actions, action => action is { Name: "reload the app", Done: > 0 });
        Assert.Contains(result.Actions, action => action is { Name: "let no worker start", Done: > 0 });
        Assert.Contains(result.Actions, action => action.Name == "kill workers once ready"); // skipped when the machine is too busy to tell
        Assert.True(result.CounterChecks > 0);
        Assert.True(result.NodeStarts > 2);
        Assert.Null(result.LogPath);
    }

    [Fact]
    public async Task An_app_that_gives_the_answer_to_another_request_is_found_out()
    {
        ChaosResult result = await RunAsync(OfApp("""
            last = [b""]

            def echo(request):
                answer, last[0] = last[0], request
                yield answer
            """));

        Assert.Contains(result.Faults, fault => fault.Contains("got an answer that is not its own", StringComparison.Ordinal));
        Assert.NotNull(result.LogPath);
        File.Delete(result.LogPath);
    }

    [Fact]
    public async Task An_app_that_ends_its_worker_in_an_answer_costs_errors_and_no_more()
    {
        ChaosResult result = await RunAsync(OfApp("""
            import os

            def echo(request):
                yield request

            def leave(request):
                yield b"part"
                os._exit(3)
            """) with { ExitEvent = "leave", ActionsPerSecond = 5, Duration = Enough });

        Assert.Empty(result.Faults);
        Assert.Contains(result.Actions, action => action is { Name: "exit in an answer", Done: > 0 });
        Assert.Contains(result.Outcomes, outcome => outcome.Key == "exit: error 502");
    }

    [Fact]
    public async Task Certificates_are_renewed_under_load_and_nothing_is_lost()
    {
        ChaosResult result = await RunAsync(OfApp("def echo(request): return request") with
        {
            UsesTls = true,
            Seed = 11,
            ActionsPerSecond = 4,
        });

        Assert.Empty(result.Faults);
        Assert.Contains(result.Actions, action => action is { Name: "renew the certificates", Done: > 0 });
        Assert.Contains("done", result.Outcomes);
    }

    [Fact]
    public void A_manifest_without_a_tcp_endpoint_cannot_have_TLS()
    {
        ChaosOptions options = OfApp("def echo(request): return request") with { UsesTls = true };
        string manifest = File.ReadAllText(options.ManifestPath);
        File.WriteAllText(options.ManifestPath, manifest.Replace("tcp://lo:0", "ipc:///tmp/chaos-test.sock", StringComparison.Ordinal));
        NodeException failure = Assert.Throws<NodeException>(() => new ChaosRun(options));
        Assert.Equal("task echo listens on no TCP endpoint, and other doors have no TLS", failure.Message);
    }

    [Fact]
    public void A_manifest_without_a_native_server_is_refused()
    {
        NodeException failure = Assert.Throws<NodeException>(() => new ChaosRun(new ChaosOptions
        {
            ManifestPath = Path.Combine(Repository.Root, "examples/timers/manifest.json"),
            Program = [Program],
        }));
        Assert.Equal("app timers has no native-server", failure.Message);
    }

    [Fact]
    public async Task A_node_that_does_not_start_leaves_its_log()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        ChaosOptions options = OfApp("def echo(request): return request");
        string manifest = File.ReadAllText(options.ManifestPath);
        File.WriteAllText(options.ManifestPath, manifest.Replace("lo:0", $"lo:{((IPEndPoint)taken.LocalEndpoint).Port}", StringComparison.Ordinal));

        NodeException failure = await Assert.ThrowsAsync<NodeException>(() => RunAsync(options));

        Assert.StartsWith("the node does not start: it ended with exit code ", failure.Message, StringComparison.Ordinal);
        string log = failure.Message.Split("; its log is ")[1];
        Assert.Contains("Address already in use", File.ReadAllText(log), StringComparison.Ordinal);
        File.Delete(log);
    }

    private static async Task<ChaosResult> RunAsync(ChaosOptions options)
    {
        using ChaosRun run = new(options);
        return await run.RunAsync();
    }

    /// <summary>A quiet run of an app of a few lines: no node is killed, nothing is scribbled on.</summary>
    private ChaosOptions OfApp(string python)
    {
        File.WriteAllText(Path.Combine(_folder.FullName, "app.py"), python);
        string manifest = Path.Combine(_folder.FullName, "app.json");
        File.WriteAllText(manifest, """
            {
              "type": "python", "args": "app.py", "name": "chaos-test",
              "engine": { "pool-limit": 2, "concurrency": 16, "queue-limit": 500 },
              "tasks": { "echo": { "type": "native-server", "endpoint": "tcp://lo:0", "events": "*" } }
            }
            """);
        return new ChaosOptions
        {
            ManifestPath = manifest,
            Program = [Program],
            Seed = 3,
            Duration = TimeSpan.FromSeconds(4),
            RequestsPerSecond = 200,
            KillsNode = false,
            Scribbles = false,
        };
    }
}
