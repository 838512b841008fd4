using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;
using NetMQ;
using NetMQ.Sockets;

namespace Cocaine.Fast.Bench.ZeroMq;

/// <summary>The servers that are compared, each in a process of its own until its standard input ends.</summary>
internal static class EnvelopeServers
{
    /// <summary>A bare NetMQ ROUTER that sends every message back, and does nothing else.</summary>
    public static async Task BareAsync()
    {
        using RouterSocket router = new();
        int port = router.BindRandomPort("tcp://127.0.0.1");
        using NetMQPoller poller = [router];
        Msg frame = default;
        frame.InitEmpty();
        router.ReceiveReady += (_, _) =>
        {
            while (router.TryReceive(ref frame, TimeSpan.Zero))
            {
                bool more;
                do
                {
                    more = frame.HasMore;
                    router.TrySend(ref frame, TimeSpan.Zero, more);
                    if (more)
                    {
                        router.Receive(ref frame);
                    }
                }
                while (more);
            }
        };
        poller.RunAsync("router");
        await ServeAsync($"tcp://127.0.0.1:{port}");
    }

    /// <summary>A node with one zeromq-server and an echo app behind it.</summary>
    /// <param name="role">thread or process, which are of .NET, or python.</param>
    public static async Task NodeAsync(string role)
    {
        bool isPython = role == "python";
        await using CocaineNode node = new(new NodeOptions { Locator = null, Loops = 1 });
        node.Start();
        RunningApp app = await node.AddAsync(new AppManifest
        {
            Name = "echo",
            Type = isPython ? AppType.Python : AppType.DotNet,
            Code = new CodeSource
            {
                Source = Path.Combine(
                    Root(), isPython ? "examples/echo/echo.py" : "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll"),
            },
            Engine = new EngineSettings
            {
                Backend = role == "thread" ? BackendType.Thread : BackendType.Process,
                PoolLimit = 1,
                Concurrency = 1024,
                QueueLimit = 4096,
            },
            Tasks = [new TaskManifest { Name = "echo", DriverType = "zeromq-server", Endpoints = ["tcp://127.0.0.1:0"] }],
        });
        await app.Ready;
        await ServeAsync(app.Endpoints[0].Endpoint);
    }

    private static async Task ServeAsync(string endpoint)
    {
        Console.WriteLine($"ready {endpoint}");
        await Console.In.ReadToEndAsync();
    }

    private static string Root()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Cocaine.Fast.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("Cocaine.Fast.sln is in no folder above the benchmark");
    }
}
