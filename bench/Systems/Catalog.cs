using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>Every system that the suites measure.</summary>
internal static class Catalog
{
    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The program as it is shipped.</summary>
    public static string Binary => Path.Combine(Root, "artifacts/cocaine-fast/cocaine-fast");

    public static List<BenchSystem> Ours() =>
    [
        Node("thread, TCP", "dotnet", "thread", unix: false),
        Node("thread, Unix socket", "dotnet", "thread", unix: true),
        Node("process .NET, TCP", "dotnet", "process", unix: false),
        Node("process .NET, Unix socket", "dotnet", "process", unix: true),
        Node("process .NET, worker on its socket", "dotnet", "process", unix: false, pipe: false),
        Node("process Python, TCP", "python", "process", unix: false),
        Node("process Python, worker on its socket", "python", "process", unix: false, pipe: false),
    ];

    public static List<BenchSystem> Limits() =>
    [
        new("C epoll echo", "raw", CompileAndStartAsync) { IsLimit = true },
        Role(".NET SocketAsyncEventArgs echo", "raw", "event-args"),
        Role(".NET Pipelines echo", "raw", "pipelines"),
    ];

    public static List<BenchSystem> Rivals() =>
    [
        Role("gRPC (Grpc.AspNetCore)", "grpc", "grpc"),
        Role("NetMQ ROUTER", "netmq", "netmq"),
        new("NATS request/reply", "nats", StartNatsAsync),
        new("uWSGI + Python (wrk)", "wrk", StartUwsgiAsync),
    ];

    /// <summary>A node of ours with one echo app.</summary>
    public static BenchSystem Node(string name, string type, string backend, bool unix, bool pipe = true) =>
        new($"cocaine-fast {name}", "native", async () =>
    {
        if (!File.Exists(Binary))
        {
            throw new FileNotFoundException($"{Binary} is not there: run scripts/build first");
        }

        string source = type == "python" ? "examples/echo/echo.py" : "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll";
        string endpoint = unix ? $"ipc://{Path.Combine(Path.GetTempPath(), $"bench-{Guid.NewGuid():N}.sock")}" : "tcp://127.0.0.1:0";
        string manifest = Path.Combine(Path.GetTempPath(), $"bench-{Guid.NewGuid():N}.json");
        await File.WriteAllTextAsync(manifest, $$"""
            {
              "name": "echo", "type": "{{type}}",
              "args": { "source": "local://{{Path.Combine(Root, source)}}", "env": { "COCAINE_PIPE": "{{(pipe ? 1 : 0)}}" } },
              "engine": { "backend": "{{backend}}", "pool-limit": 1, "concurrency": 2048, "queue-limit": 65536 },
              "tasks": { "echo": { "type": "native-server", "endpoint": "{{endpoint}}", "events": "*" } }
            }
            """);
        ServerProcess node = await ServerProcess.StartAsync(
            Binary, ["run", manifest, "--locator", "none", "--log-level", "Error"], "endpoint=");
        File.Delete(manifest);
        return ([node], node.Ready[(node.Ready.IndexOf("endpoint=", StringComparison.Ordinal) + "endpoint=".Length)..]);
    });

    private static BenchSystem Role(string name, string protocol, string role) => new(name, protocol, async () =>
    {
        ServerProcess server = await ServerProcess.StartRoleAsync("serve", role);
        return ([server], server.Ready["ready ".Length..]);
    })
    { IsLimit = protocol == "raw" };

    private static async Task<(List<ServerProcess> Processes, string Endpoint)> CompileAndStartAsync()
    {
        string binary = Path.Combine(Path.GetTempPath(), "cocaine-bench-epoll-echo");
        using Process compiler = Process.Start("gcc", ["-O2", "-o", binary, Path.Combine(AppContext.BaseDirectory, "native/epoll_echo.c")]);
        await compiler.WaitForExitAsync();
        ServerProcess server = await ServerProcess.StartAsync(binary, [], "ready ");
        return ([server], server.Ready["ready ".Length..]);
    }

    private static async Task<(List<ServerProcess> Processes, string Endpoint)> StartNatsAsync()
    {
        int port = FreePort();
        ServerProcess server = await ServerProcess.StartAsync("nats-server", ["-a", "127.0.0.1", "-p", $"{port}"], "Server is ready");
        ServerProcess responder = await ServerProcess.StartRoleAsync("serve", "nats", $"nats://127.0.0.1:{port}");
        return ([server, responder], $"tcp://127.0.0.1:{port}");
    }

    private static async Task<(List<ServerProcess> Processes, string Endpoint)> StartUwsgiAsync()
    {
        using Process wrk = Process.Start(new ProcessStartInfo("wrk", ["--version"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true
        })!;
        await wrk.WaitForExitAsync();
        int port = FreePort();
        ServerProcess server = await ServerProcess.StartAsync(
            "uwsgi",
            ["--plugin", "python3", "--http-socket", $"127.0.0.1:{port}", "--listen", "100", "--disable-logging", "--master",
                "--processes", "1",
             "--die-on-term", "--wsgi-file", Path.Combine(AppContext.BaseDirectory, "native/echo.wsgi.py")],
            "spawned uWSGI worker");
        return ([server], $"tcp://127.0.0.1:{port}");
    }

    private static int FreePort()
    {
        using System.Net.Sockets.TcpListener listener = new(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new IOException("the benchmark runs from within its repository");
    }
}
