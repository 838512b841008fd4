using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Drivers.Base;

/// <summary>The keys of drivers that listen on TCP or Unix sockets.</summary>
internal static class ListeningKeys
{
    public static readonly KeySpec Endpoint = new("endpoint", KeyKind.Endpoints, "where it listens", "required");

    public static readonly KeySpec Backlog =
        new("backlog", KeyKind.Integer, "connections that may wait to be accepted", "1024") { Min = 1, Max = 65535 };

    public static readonly KeySpec Connections =
        new("connections", KeyKind.Integer, "the most connections of one address; Unix sockets have no address", "1024")
        {
            Min = 1,
            Max = 65536,
        };

    public static readonly KeySpec IdleTimeout = new(
        "idle-timeout", KeyKind.Duration, "silence after which a connection without an open channel is closed; 0 = never",
        "600 for addresses of other hosts; never on this host");

    public static readonly KeySpec Mode =
        new("mode", KeyKind.SocketMode, "the users that may connect to the task's Unix sockets: those with the right to write", "0600");

    public static readonly KeySpec Tls = new(
        TlsNeeds.Key, KeyKind.Text,
        "the TLS of the task's TCP endpoints, by `security.tls` of the node's config; `mutual` wants certificates of clients", "off")
    {
        Choices = ["off", "on", "mutual"],
    };

    /// <summary>A mode is a mistake when no endpoint is a Unix socket.</summary>
    public static KeyMistake? Check(IReadOnlyDictionary<string, object> values) =>
        values.ContainsKey("mode") && values.GetValueOrDefault("endpoint") is string[] places && !Array.Exists(places, IsUnix)
            ? new KeyMistake("mode", "a Unix socket alone has a mode, and no endpoint of the task is one (ipc:///path)") : null;

    private static bool IsUnix(string endpoint) => endpoint.StartsWith("ipc://", StringComparison.Ordinal);
}
