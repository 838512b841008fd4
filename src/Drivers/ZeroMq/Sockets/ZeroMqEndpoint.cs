using System.Net;
using System.Net.Sockets;
using Cocaine.Fast.Transport.Sockets;
using NetMQ;

namespace Cocaine.Fast.Drivers.ZeroMq.Sockets;

/// <summary>Turns endpoints of manifests into the form that NetMQ takes: NetMQ knows no interface names, and no Unix sockets.</summary>
internal static class ZeroMqEndpoint
{
    /// <summary>The addresses that an endpoint binds.</summary>
    /// <exception cref="IOException">The endpoint is no TCP endpoint, or its host is not known.</exception>
    public static IReadOnlyList<IPEndPoint> ToListen(string endpoint) => [.. Parse(endpoint).ListenAddresses().Cast<IPEndPoint>()];

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

    /// <summary>Binds every address, all with the same port when the port is 0; returns the endpoints as peers write them.</summary>
    /// <exception cref="IOException">An address cannot be bound.</exception>
    public static IReadOnlyList<string> Bind(NetMQSocket socket, string endpoint, IReadOnlyList<IPEndPoint> addresses)
    {
        List<string> bound = [];
        int port = 0;
        foreach (IPEndPoint address in addresses)
        {
            try
            {
                socket.Bind(Endpoint.Describe(address.Port == 0 ? new IPEndPoint(address.Address, port) : address));
            }
            catch (NetMQException failure)
            {
                string reason = failure is AddressAlreadyInUseException ? "Address already in use"
                    : failure.InnerException?.Message ?? failure.ErrorCode.ToString();
                throw new IOException($"cannot listen on {endpoint}: {reason}", failure);
            }

            string last = socket.Options.LastEndpoint!; // right except for the host of IPv6
            port = int.Parse(last.AsSpan(last.LastIndexOf(':') + 1), System.Globalization.CultureInfo.InvariantCulture);
            bound.Add(Endpoint.Describe(new IPEndPoint(address.Address, port)));
        }

        return bound;
    }

    private static Endpoint Parse(string endpoint)
    {
        Endpoint parsed = Endpoint.Parse(endpoint);
        return parsed.Path is null ? parsed : throw new IOException(
            $"'{endpoint}': ZeroMQ takes tcp:// only, because NetMQ's ipc:// is a loopback port that every local user can connect to");
    }
}
