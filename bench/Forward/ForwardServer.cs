using System.Globalization;
using System.Net;
using Cocaine.Fast.Bench.Systems;
using Cocaine.Fast.Client;
using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Node;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Bench.Forward;

/// <summary>A node with an echo app, in a process of its own until its standard input ends.</summary>
internal static class ForwardServer
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    /// <summary>The node that runs the jobs.</summary>
    public static Task RunnerAsync() => ServeAsync("runner", new EngineSettings
    {
        Backend = BackendType.Thread,
        PoolLimit = 1,
        Concurrency = 1024,
        QueueLimit = 4096,
    }, [], static _ => Task.CompletedTask);

    /// <summary>A node that gives every job to the runner: its slave is busy, and its queue is full.</summary>
    /// <param name="peerPort">The runner's peer port.</param>
    public static Task GiverAsync(string peerPort)
    {
        PeerAddress to = new("runner", new IPEndPoint(IPAddress.Loopback, int.Parse(peerPort, CultureInfo.InvariantCulture)));
        EngineSettings full = new() { Backend = BackendType.Thread, PoolLimit = 1, Concurrency = 1, QueueLimit = 1 };
        return ServeAsync("giver", full, [to], FillAsync);
    }

    private static async Task ServeAsync(string name, EngineSettings engine, IReadOnlyList<PeerAddress> peers, Func<string, Task> prepare)
    {
        await using CocaineNode node = new(new NodeOptions { Locator = null, Loops = 1 });
        node.Start();
        RunningApp app = await node.AddAsync(new AppManifest
        {
            Name = "echo",
            Type = AppType.DotNet,
            Code = new CodeSource { Source = Path.Combine(Catalog.Root, "examples/dotnet-echo/bin/Release/net10.0/DotNetEcho.dll") },
            Engine = engine,
            Tasks = [new TaskManifest { Name = "echo", DriverType = "native-server", Endpoints = ["tcp://127.0.0.1:0"] }],
        });
        await app.Ready;
        NodePeers ways = new((EventLoop)app.Engine.Loop, Endpoint.Parse("tcp://127.0.0.1:0"), NullLogger.Instance);
        ways.Open(new PeerIdentity("bench", name, 1, Secret), new Fixed(peers));
        await ways.AddAsync(app);
        await prepare(app.Endpoints[0].Endpoint);
        Console.WriteLine($"ready {app.Endpoints[0].Endpoint} {ways.Port.Port}");
        await Console.In.ReadToEndAsync();
        await ways.CloseAsync();
    }

    /// <summary>Two calls whose requests do not end: the first has the slave, the second fills the queue, others find the runner.</summary>
    private static async Task FillAsync(string endpoint)
    {
        CocaineClient client = await CocaineClient.ConnectAsync(endpoint);
        for (int i = 0; i < 2; i++)
        {
            ClientCall open = client.Open("echo");
            await open.WriteAsync(new byte[1]);
        }

        while (true)
        {
            try
            {
                await client.CallAsync("echo", new byte[1]);
                return;
            }
            catch (CocaineException refused) when (refused.Code == 503)
            {
                await Task.Delay(20);
            }
        }
    }

    private sealed class Fixed(IReadOnlyList<PeerAddress> peers) : IPeerList
    {
        public IReadOnlyList<PeerAddress> Of(string app) => peers;
    }
}
