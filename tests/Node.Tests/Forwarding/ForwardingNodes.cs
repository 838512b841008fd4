using Cocaine.Fast.Cluster.Peers;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Node.Forwarding;
using Cocaine.Fast.Transport.Loop;
using Cocaine.Fast.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cocaine.Fast.Node.Tests.Forwarding;

/// <summary>Makes nodes peers of each other.</summary>
internal static class ForwardingNodes
{
    private static readonly byte[] Secret = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];

    /// <summary>Opens the peer port of an app's node.</summary>
    public static async Task<NodePeers> OpenAsync(string name, RunningApp app, params PeerAddress[] peers)
    {
        NodePeers ways = new((EventLoop)app.Engine.Loop, Endpoint.Parse("tcp://127.0.0.1:0"), NullLogger.Instance);
        ways.Open(new PeerIdentity("test", name, 1, Secret), new Fixed(peers));
        await ways.AddAsync(app);
        return ways;
    }

    private sealed class Fixed(PeerAddress[] peers) : IPeerList
    {
        public IReadOnlyList<PeerAddress> Of(string app) => peers;
    }
}
