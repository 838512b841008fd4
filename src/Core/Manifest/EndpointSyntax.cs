using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>Checks the form of an endpoint. Only a bind shows whether its host exists.</summary>
internal static class EndpointSyntax
{
    /// <summary>Longest path of a Unix socket: sun_path of unix(7) without its end mark.</summary>
    private const int MaxPathBytes = 107;

    /// <summary>The words after an endpoint that other hosts can reach, and the remedy; for a door that does not ask its callers.</summary>
    public const string OpenToOthers =
        "can be reached from other hosts, and nobody asks who calls: listen on lo (tcp://lo:PORT), or let a firewall choose the callers; "
        + "see docs/security.md";

    /// <summary>The mistake in the endpoint, or null.</summary>
    public static string? Problem(string endpoint, bool takesUnix)
    {
        string shown = JsonPath.Shown(endpoint);
        if (endpoint.StartsWith("ipc://", StringComparison.Ordinal))
        {
            string path = endpoint["ipc://".Length..];
            return path.StartsWith('/') && !path.EndsWith('/') && Encoding.UTF8.GetByteCount(path) <= MaxPathBytes
                ? null : $"'{shown}': a Unix socket is ipc:///absolute/path of at most {MaxPathBytes} bytes";
        }

        if (!endpoint.StartsWith("tcp://", StringComparison.Ordinal))
        {
            return $"'{shown}' is not an endpoint: expected tcp://HOST:PORT{(takesUnix ? " or ipc:///path" : "")}";
        }

        string rest = endpoint["tcp://".Length..];
        int colon = rest.LastIndexOf(':');
        if (colon <= 0 || !IsHost(rest[..colon]))
        {
            return $"'{shown}': expected tcp://HOST:PORT, HOST an address ([::1] for IPv6), a name, * or an interface";
        }

        return int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= 65535
            ? null : $"'{shown}': the port is a number from 0 (any free one) to 65535";
    }

    /// <summary>
    /// Only programs on this host reach the endpoint, a good one, as far as its text tells: a Unix socket, the interface <c>lo</c>, the
    /// name <c>localhost</c> or an address of the kind 127.0.0.1 or ::1.
    /// </summary>
    public static bool IsOnThisHost(string endpoint)
    {
        if (endpoint.StartsWith("ipc://", StringComparison.Ordinal))
        {
            return true;
        }

        string host = endpoint["tcp://".Length..endpoint.LastIndexOf(':')];
        return host == "lo" || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || (IsNumeric(host) && host.StartsWith("127.", StringComparison.Ordinal))
            || (host.StartsWith('[') && Uri.TryCreate($"tcp://{host}", UriKind.Absolute, out Uri? address) && address.IsLoopback);
    }

    private static bool IsHost(string host)
    {
        if (host.StartsWith('['))
        {
            return host.EndsWith(']') && Uri.CheckHostName(host) == UriHostNameType.IPv6;
        }

        return IsNumeric(host)
            ? host.Split('.') is { Length: 4 } parts && Array.TrueForAll(parts, IsByte)
            : host == "*" || host.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_' or '@');
    }

    private static bool IsNumeric(string host) => host.All(letter => char.IsAsciiDigit(letter) || letter == '.');

    /// <summary>A leading zero makes an octal number of it in some programs, and not in others.</summary>
    private static bool IsByte(string part) =>
        byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _) && (part.Length == 1 || part[0] != '0');
}

/// <summary>Checks the endpoints of a manifest, each by itself and all together: two endpoints cannot have the same port.</summary>
internal sealed class EndpointChecks(ProblemList problems)
{
    private readonly List<(string Host, string Port, string Path)> _taken = [];

    /// <param name="zeroMq">The name of the part that ZeroMQ opens, as a message says it; null when plain sockets open it.</param>
    /// <param name="value">One endpoint or a list.</param>
    /// <param name="path">The place of the value.</param>
    /// <param name="owner">The object that the endpoint belongs to.</param>
    /// <param name="binds">True when the endpoint is listened on, false when it is connected to.</param>
    public void Check(JsonTree? value, string path, string owner, string? zeroMq, bool binds)
    {
        if (value is null)
        {
            return;
        }

        foreach ((JsonTree item, string at) in KeyReader.Items(value, path))
        {
            if (item.Kind != JsonValueKind.String || item.Text.Length == 0)
            {
                continue; // reported as no endpoint already
            }

            if (zeroMq is not null && item.Text.StartsWith("ipc://", StringComparison.Ordinal))
            {
                problems.Add(item.Offset, at, $"'{JsonPath.Shown(item.Text)}': {zeroMq} takes tcp:// only, no Unix sockets");
            }
            else if (EndpointSyntax.Problem(item.Text, takesUnix: zeroMq is null) is { } problem)
            {
                problems.Add(item.Offset, at, problem);
            }
            else if (binds)
            {
                Take(item, at, owner);
            }
        }
    }

    private void Take(JsonTree item, string at, string owner)
    {
        bool isTcp = item.Text.StartsWith("tcp://", StringComparison.Ordinal);
        int colon = isTcp ? item.Text.LastIndexOf(':') : item.Text.Length;
        string host = isTcp ? item.Text[..colon].ToLowerInvariant() : item.Text;
        string port = isTcp ? item.Text[(colon + 1)..].TrimStart('0') : "ipc";
        if (port.Length == 0)
        {
            return; // 0 takes any free port
        }

        bool Clashes((string Host, string Port, string Path) other) =>
            other.Port == port && (other.Host == host || (isTcp && (other.Host == "tcp://*" || host == "tcp://*")));
        int clash = _taken.FindIndex(Clashes);
        if (clash < 0)
        {
            _taken.Add((host, port, owner));
            return;
        }

        string what = _taken[clash].Host == host ? "the endpoint" : "on the port";
        problems.Add(item.Offset, at, $"'{JsonPath.Shown(item.Text)}' is {what} of {_taken[clash].Path} already");
    }
}
