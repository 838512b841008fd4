using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// An endpoint as manifests and commands write it: <c>tcp://HOST:PORT</c> (HOST is an address, a name, <c>*</c>, or an interface name for
/// all of its addresses; port 0 = any free port) or <c>ipc:///path</c> for a Unix socket.
/// </summary>
public sealed class Endpoint
{
    private Endpoint(string text, string host, int port, string? path)
    {
        Text = text;
        Host = host;
        Port = port;
        Path = path;
    }

    /// <summary>The endpoint's text.</summary>
    public string Text { get; }

    /// <summary>The host part; empty for a Unix socket.</summary>
    public string Host { get; }

    /// <summary>The port, 0 to 65,535; 0 for a Unix socket.</summary>
    public int Port { get; }

    /// <summary>The socket's path, or null for TCP.</summary>
    public string? Path { get; }

    /// <summary>The host is a name: neither an address, nor an interface, nor <c>*</c>.</summary>
    internal bool IsName => Path is null && Host != "*" && !IPAddress.TryParse(Host, out _)
        && !NetworkInterface.GetAllNetworkInterfaces().Any(network => network.Name == Host);

    /// <summary>Reads an endpoint.</summary>
    /// <exception cref="FormatException">The text is neither <c>tcp://HOST:PORT</c> nor <c>ipc:///path</c>.</exception>
    public static Endpoint Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith("ipc://", StringComparison.Ordinal))
        {
            string path = text["ipc://".Length..];
            return path.StartsWith('/') && Encoding.UTF8.GetByteCount(path) is > 1 and < 108
                ? new Endpoint(text, "", 0, path)
                : throw new FormatException($"'{text}': a Unix socket is ipc:///absolute/path, at most 107 bytes");
        }

        string rest = text.StartsWith("tcp://", StringComparison.Ordinal) ? text["tcp://".Length..] : text;
        int colon = rest.LastIndexOf(':');
        if (colon > 0 && int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port)
            && port <= 65535)
        {
            string host = rest[..colon].Trim('[', ']');
            return !IsOtherwise(host, out IPAddress? meant) ? new Endpoint(text, host, port, null)
                : throw new FormatException($"'{text}': an IPv4 address has four decimal numbers without leading zeros: {meant}?");
        }

        throw new FormatException($"'{text}' is not an endpoint: tcp://HOST:PORT or ipc:///path");
    }

    /// <summary>The addresses to listen on: <c>*</c> means every IPv4 and IPv6 address, an interface name all of its addresses.</summary>
    /// <exception cref="IOException">The host is no address, no interface and no known name.</exception>
    public IReadOnlyList<EndPoint> ListenAddresses()
    {
        if (Path is not null)
        {
            return [new UnixDomainSocketEndPoint(Path)];
        }

        if (Host == "*")
        {
            return [new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, Port)];
        }

        return Addresses().Select(address => (EndPoint)new IPEndPoint(address, Port)).ToArray();
    }

    /// <summary>The addresses to connect to, in order of preference.</summary>
    /// <exception cref="IOException">The host is no address, no interface and no known name.</exception>
    public IReadOnlyList<EndPoint> ConnectAddresses() => Host == "*"
        ? [new IPEndPoint(IPAddress.Loopback, Port)]
        : ListenAddresses();

    /// <inheritdoc/>
    public override string ToString() => Text;

    /// <summary>The text of a bound address.</summary>
    internal static string Describe(EndPoint address) => address switch
    {
        IPEndPoint { AddressFamily: AddressFamily.InterNetworkV6 } ip => $"tcp://[{ip.Address}]:{ip.Port}",
        IPEndPoint ip => $"tcp://{ip.Address}:{ip.Port}",
        _ => $"ipc://{address}",
    };

    /// <summary>The host is taken for another IPv4 address than a reader sees: 0177.0.0.1 is 127.0.0.1, and so is 127.1.</summary>
    private static bool IsOtherwise(string host, out IPAddress? meant) => IPAddress.TryParse(host, out meant)
        && meant.AddressFamily == AddressFamily.InterNetwork && meant.ToString() != host;

    private IPAddress[] Addresses()
    {
        if (IPAddress.TryParse(Host, out IPAddress? literal))
        {
            return [literal];
        }

        foreach (NetworkInterface network in NetworkInterface.GetAllNetworkInterfaces())
        {
            if (network.Name == Host)
            {
                // Link-local IPv6 addresses are left out: they need a scope that clients would have to know.
                IPAddress[] own = network.GetIPProperties().UnicastAddresses.Select(entry => entry.Address)
                    .Where(address => !address.IsIPv6LinkLocal).OrderBy(address => address.AddressFamily).ToArray();
                return own.Length > 0 ? own : throw new IOException($"the interface {Host} has no address");
            }
        }

        try
        {
            return Dns.GetHostAddresses(Host);
        }
        catch (SocketException failure)
        {
            throw new IOException($"'{Host}' is no address, no interface of this machine and no known name ({failure.Message})", failure);
        }
    }
}
