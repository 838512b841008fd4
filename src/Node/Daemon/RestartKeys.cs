using System.Text.Json;
using Cocaine.Fast.Core.Configuration;
using Cocaine.Fast.Node.Places;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>The keys of a config that another config changes only at the node's next start.</summary>
internal static class RestartKeys
{
    /// <summary>The keys that differ between two configs.</summary>
    /// <param name="next">The next config.</param>
    /// <param name="old">The present config.</param>
    /// <param name="statePath">The node's state folder.</param>
    /// <param name="controlEndpoint">The node's control endpoint.</param>
    /// <param name="usesTls">Whether the node uses the next TLS already.</param>
    public static IEnumerable<string> Of(NodeConfig next, NodeConfig old, string statePath, string controlEndpoint, bool usesTls)
    {
        (string Key, bool Differs)[] all =
        [
            ("state", (next.StateFolder ?? Folders.State()) != statePath),
            ("runtime", next.RuntimeFolder != old.RuntimeFolder),
            ("ledger", next.LedgerFolder != old.LedgerFolder),
            ("control.endpoint", (next.ControlEndpoint ?? Folders.ControlEndpoint(next.RuntimeFolder)) != controlEndpoint),
            ("control.tcp", next.TcpControlEndpoint != old.TcpControlEndpoint),
            ("control.zeromq", next.ZeroMqControlEndpoint != old.ZeroMqControlEndpoint),
            ("locator", next.Locator != old.Locator),
            ("locator-tls", next.LocatorTls != old.LocatorTls),
            ("security.tls", !usesTls),
            ("node-service", next.NodeService != old.NodeService),
            ("loops", next.Loops != old.Loops),
            ("web", next.Web != old.Web),
            ("cluster", JsonSerializer.Serialize(next.Cluster) != JsonSerializer.Serialize(old.Cluster)),
            ("security.keys", next.Security.KeysFolder != old.Security.KeysFolder),
            ("security.quarantine-to", !next.Security.QuarantineTo.SequenceEqual(old.Security.QuarantineTo)),
            ("log.format", next.LogFormat != old.LogFormat),
            ("log.audit", next.AuditFile != old.AuditFile),
        ];
        return all.Where(pair => pair.Differs).Select(pair => pair.Key);
    }
}
