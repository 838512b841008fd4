using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Sockets;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>Reads the endpoints of ZeroMQ sockets, which are TCP endpoints.</summary>
internal static class ZeroMqEndpoint
{
    /// <summary>
    /// The one address to connect to. An IPv4 address is preferred when there are several: two connections to one publisher would bring
    /// every message twice.
    /// </summary>
    /// <exception cref="IOException">The endpoint is no TCP endpoint, or its host is not known.</exception>
    public static IPEndPoint ToConnect(string endpoint)
    {
        IReadOnlyList<EndPoint> addresses = Parse(endpoint).ConnectAddresses();
        return (IPEndPoint)(addresses.FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork) ?? addresses[0]);
    }

    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="IOException">The endpoint is no TCP endpoint.</exception>
    public static Endpoint Parse(string endpoint)
    {
        Endpoint parsed = Endpoint.Parse(endpoint);
        return parsed.Path is null ? parsed : throw new IOException($"'{endpoint}': ZeroMQ takes tcp:// only, no Unix sockets");
    }
}
