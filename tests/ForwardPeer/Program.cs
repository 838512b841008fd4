using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Harness;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

// A node that takes jobs of other nodes, for tests that kill it: says where, and serves until its standard input ends.
await using TestNode node = TestNode.Start();
RunningApp app = await node.AddAsync(
    TestApps.Python("behaviours.py", new EngineSettings { PoolLimit = 2, PoolMinimum = 2, Concurrency = 1, QueueLimit = 10 }));
NodePeers ways = new((EventLoop)app.Engine.Loop, Endpoint.Parse("tcp://127.0.0.1:0"), NullLogger.Instance);
ways.Open(new PeerIdentity("test", "peer", 1, [.. Enumerable.Range(1, 32).Select(i => (byte)i)]), new NoPeers());
await ways.AddAsync(app);
Console.WriteLine($"ready {ways.Port.Port}");
await Console.In.ReadToEndAsync();
await ways.CloseAsync();

internal sealed class NoPeers : IPeerList
{
    public IReadOnlyList<PeerAddress> Of(string app) => [];
}
