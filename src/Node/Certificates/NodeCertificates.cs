using Cocaine.Fast.Core.Security;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Node.Apps;
using Cocaine.Fast.Transport.Tls;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Certificates;

/// <summary>The TLS of a node: its files from the config, and the doors that use them.</summary>
/// <param name="config">The config; null for a node without certificates, which loads no library for them.</param>
/// <param name="log">The node's log.</param>
internal sealed class NodeCertificates(TlsConfig? config, ILogger log) : IDisposable
{
    private TlsDoors? _doors; // from Start on; null without a config

    /// <summary>For the node's apps and the locator; without certificates until <see cref="Start"/>.</summary>
    public NodeTls Tls => new(_doors);

    /// <summary>Reads the files.</summary>
    /// <exception cref="NodeException">A file cannot be used, or there is no libssl.</exception>
    public void Start()
    {
        if (config is null)
        {
            return;
        }

        try
        {
            TlsContexts files = TlsContexts.Read(config);
            _doors = new TlsDoors(files, config.HandshakeTimeoutMs, log);
            WarnOfEnds(files, config.CrlFile);
        }
        catch (TlsException mistake)
        {
            throw new NodeException(TlsMistakes.Describe(config, mistake), mistake);
        }
    }

    private void WarnOfEnds(TlsContexts files, string? crlFile)
    {
        if (files.Revoked.EndsAt is { } end && end < DateTimeOffset.UtcNow)
        {
            CertificateLog.CrlEnded(log, crlFile!, end);
        }
    }

    public void Dispose() => _doors?.Dispose();
}
