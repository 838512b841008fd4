using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Places;
using Cocaine.Fast.Node.Records;

namespace Cocaine.Fast.Host.Serving;

/// <summary>A node with a name and without a config: its folders, and its ports, are no other node's.</summary>
internal static class NamedNode
{
    private const int FirstPort = 10053, Ports = 1000;

    // Held until the process ends. Nodes that start in one moment all find the same port free: the first to have its name takes it.
    private static readonly List<Socket> Claims = [];

    /// <summary>The settings of the node.</summary>
    /// <param name="name">The node's name.</param>
    public static NodeConfig Settings(string name)
    {
        NodeConfig usual = new();
        int? port = FreePort(), peerPort = FreePort();
        return usual with
        {
            StateFolder = Folders.NamedState(name) is { Length: > 0 } state ? state : null,
            RuntimeFolder = Folders.NamedRuntime(name),
            LedgerFolder = LedgerFolder.Default() is { } ledger ? Path.Combine(ledger, name) : null,
            Locator = port is { } free ? $"tcp://lo:{free}" : usual.Locator,
            Cluster = peerPort is { } next ? new ClusterConfig { Listen = $"tcp://*:{next}" } : null,
        };
    }

    private static int? FreePort() =>
        Enumerable.Range(FirstPort, Ports).Select(port => (int?)port).FirstOrDefault(port => TryClaim(port!.Value));

    private static bool TryClaim(int port)
    {
        Socket claim = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        try
        {
            claim.Bind(new UnixDomainSocketEndPoint($"\0cocaine-fast/port/{port}"));
            using Socket probe = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.Any, port));
            Claims.Add(claim);
            return true;
        }
        catch (SocketException)
        {
            claim.Dispose();
            return false;
        }
    }
}
