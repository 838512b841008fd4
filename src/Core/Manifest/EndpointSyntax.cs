using System.Globalization;

namespace Cocaine.Fast.Core.Manifest;

/// <summary>The form of an endpoint; whether its host exists shows only when it is bound.</summary>
internal static class EndpointSyntax
{
    /// <summary>Longest path of a Unix socket: sun_path of unix(7) less its end mark.</summary>
    private const int MaxPathBytes = 107;

    /// <summary>What is wrong with it, or null.</summary>
    public static string? Problem(string endpoint)
    {
        if (endpoint.StartsWith("ipc://", StringComparison.Ordinal))
        {
            string path = endpoint["ipc://".Length..];
            return path.StartsWith('/') && path.Length is > 1 and <= MaxPathBytes
                ? null : $"'{endpoint}': a Unix socket is ipc:///absolute/path of at most {MaxPathBytes} bytes";
        }

        if (!endpoint.StartsWith("tcp://", StringComparison.Ordinal))
        {
            return $"'{endpoint}' is not an endpoint: expected tcp://HOST:PORT or ipc:///path";
        }

        string rest = endpoint["tcp://".Length..];
        int colon = rest.LastIndexOf(':');
        string host = colon > 0 ? rest[..colon] : "";
        bool bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (host.Length == 0 || (host.Contains(':') && !bracketed) || host.Contains('/'))
        {
            return $"'{endpoint}': expected tcp://HOST:PORT, HOST an address ([::1] for IPv6), a name, * or an interface";
        }

        return int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port <= 65535
            ? null : $"'{endpoint}': the port is a number from 0 (any free one) to 65535";
    }
}
