using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>Checks addresses of the cluster's engine. A writer to the engine runs code on all nodes.</summary>
internal static class EngineAddress
{
    /// <summary>The port of an address without one.</summary>
    public const int UsualPort = 4222;

    private const string Tls = "tls://";

    /// <summary>The mistake in the form of an address; null when there is none.</summary>
    /// <param name="address">The address.</param>
    public static string? Mistake(string address)
    {
        string shown = JsonPath.Shown(address);
        bool isUri = Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "nats" or "tls" && IsHost(uri.Host);
        return !isUri || uri!.PathAndQuery is not ("" or "/") || uri.Fragment.Length > 0
            ? $"'{shown}': expected nats://HOST:PORT or tls://HOST:PORT"
            : uri.UserInfo.Length > 0 ? "a password in an address is seen by everybody: put it into the file of 'cluster.credentials'"
            : null;
    }

    /// <summary>
    /// The reason why a node may not use this address: the engine is on another host, and not everything protects it. Null when the node
    /// may use it.
    /// </summary>
    /// <param name="address">A good address.</param>
    /// <param name="config">The node's settings.</param>
    public static string? Danger(string address, ClusterConfig config)
    {
        Uri uri = new(address);
        if (config.IsInsecure || IsLoopback(uri))
        {
            return null;
        }

        bool hasTls = config.HasTls || address.StartsWith(Tls, StringComparison.Ordinal);
        string? lack = (config.CredentialsFile is not null, hasTls) switch
        {
            (true, true) => null,
            (false, true) => "without 'credentials'",
            (true, false) => "without TLS",
            _ => "without 'credentials' and TLS",
        };
        return lack is null ? null
            : $"{JsonPath.Shown(address)} is on another host, and whoever writes to the engine runs code on all nodes: {lack} it takes "
                + "\"insecure\": true in 'cluster'";
    }

    /// <summary>Whether a node may have this name.</summary>
    /// <param name="text">The name.</param>
    public static bool IsNodeName(string text) => text.Length is > 0 and <= 64 && text is not ("." or "..")
        && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '_' or '-');

    /// <summary>Whether the text is an address or the name of a host.</summary>
    /// <param name="text">The text.</param>
    public static bool IsHost(string text) =>
        text.Length <= 253 && Uri.CheckHostName(text) is UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6;

    private static bool IsLoopback(Uri uri) => uri.Host != "lo" && EndpointSyntax.IsOnThisHost($"tcp://{uri.Host}:{UsualPort}");
}
