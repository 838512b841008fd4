using System.Diagnostics;

namespace Cocaine.Fast.Bench.Systems;

/// <summary>Every system of the headline suite.</summary>
internal static class Catalog
{
    /// <summary>Those that ratios are told of.</summary>
    public const string PipelinesEcho = ".NET Pipelines echo", EventArgsEcho = ".NET SocketAsyncEventArgs echo", CEcho = "C epoll echo",
        Grpc = "gRPC (Grpc.AspNetCore)", Nats = "NATS request/reply", Thread = "cocaine-fast thread, TCP",
        DotNet = "cocaine-fast process .NET, TCP",
        Python = "cocaine-fast process Python, TCP";

    /// <summary>The repository's folder.</summary>
    public static string Root { get; } = FindRoot();

    public static List<BenchSystem> Ours() =>
    [
        new OurNode("dotnet", "thread").Named("thread, TCP"),
        new OurNode("dotnet", "thread") { Unix = true }.Named("thread, Unix socket"),
        new OurNode("dotnet", "process").Named("process .NET, TCP"),
        new OurNode("dotnet", "process") { Unix = true }.Named("process .NET, Unix socket"),
        new OurNode("dotnet", "process") { Pipe = false }.Named("process .NET, worker on its socket"),
        new OurNode("python", "process").Named("process Python, TCP"),
        new OurNode("python", "process") { Pipe = false }.Named("process Python, worker on its socket"),
    ];

    public static List<BenchSystem> Limits() =>
    [
        C(),
        Role(EventArgsEcho, "raw", "event-args"),
        Role(PipelinesEcho, "raw", "pipelines"),
    ];

    public static List<BenchSystem> Rivals() =>
    [
        Role(Grpc, "grpc", "grpc", serverGc: true), // as its own project template has it
        Role("NetMQ DEALER/ROUTER", "netmq", "netmq"),
        new(Nats, "nats", StartNatsAsync),
        new("uWSGI + Python (wrk, 1 in flight)", "wrk", StartUwsgiAsync),
    ];

    /// <summary>The echo in C, compiled on the spot.</summary>
    public static BenchSystem C() => new(CEcho, "raw", async () =>
    {
        string folder = Directory.CreateTempSubdirectory("cocaine-bench-").FullName;
        string binary = Path.Combine(folder, "epoll-echo");
        using Process compiler = Process.Start("gcc", ["-O2", "-o", binary, Path.Combine(AppContext.BaseDirectory, "native/epoll_echo.c")]);
        await compiler.WaitForExitAsync();
        if (compiler.ExitCode != 0)
        {
            throw new IOException("gcc could not compile native/epoll_echo.c");
        }

        ServerProcess server = await ServerProcess.StartAsync(new ProcessStartInfo(binary), "ready ");
        server.Folder = folder;
        return new Started([server], server.Ready[0]["ready ".Length..]);
    });

    private static BenchSystem Role(string name, string protocol, string role, bool serverGc = false) => new(name, protocol, async () =>
    {
        ProcessStartInfo start = ServerProcess.OwnRole("serve", role);
        start.Environment["DOTNET_gcServer"] = serverGc ? "1" : "0";
        ServerProcess server = await ServerProcess.StartAsync(start, "ready ");
        return new Started([server], server.Ready[0]["ready ".Length..]);
    });

    private static async Task<Started> StartNatsAsync()
    {
        int port = FreePort();
        ServerProcess server = await ServerProcess.StartAsync(
            new ProcessStartInfo("nats-server", ["-a", "127.0.0.1", "-p", $"{port}"]), "Server is ready");
        ServerProcess responder = await ServerProcess.StartAsync(
            ServerProcess.OwnRole("serve", "nats", $"nats://127.0.0.1:{port}"), "ready ");
        return new Started([server, responder], $"tcp://127.0.0.1:{port}");
    }

    private static async Task<Started> StartUwsgiAsync()
    {
        ProcessStartInfo version = new("wrk", ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process wrk = Process.Start(version)!;
        await wrk.WaitForExitAsync();
        int port = FreePort();
        ServerProcess server = await ServerProcess.StartAsync(
            new ProcessStartInfo("uwsgi",
                ["--plugin", "python3", "--http-socket", $"127.0.0.1:{port}", "--listen", "100", "--disable-logging", "--master",
                 "--processes", "1", "--die-on-term", "--wsgi-file", Path.Combine(AppContext.BaseDirectory, "native/echo.wsgi.py")]),
            "spawned uWSGI worker");
        return new Started([server], $"tcp://127.0.0.1:{port}");
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
