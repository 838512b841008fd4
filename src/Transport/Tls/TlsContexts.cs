using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>Everything that a node's files of TLS say at one time: the contexts of its doors, and the revoked clients. Immutable.</summary>
internal sealed class TlsContexts : IDisposable
{
    private readonly TlsContext _open;
    private readonly TlsContext? _mutual; // null without a CA of clients

    private TlsContexts(TlsContext open, TlsContext? mutual, RevokedList revoked, IReadOnlyList<CertificateFacts> certificates)
    {
        _open = open;
        _mutual = mutual;
        Revoked = revoked;
        Certificates = certificates;
    }

    /// <summary>The revoked clients.</summary>
    public RevokedList Revoked { get; }

    /// <summary>The node's certificates.</summary>
    public IReadOnlyList<CertificateFacts> Certificates { get; }

    /// <summary>Reads and checks all files.</summary>
    /// <exception cref="TlsException">A file cannot be used, or there is no libssl.</exception>
    public static TlsContexts Read(TlsConfig config)
    {
        TlsLibrary.Require();
        List<CertificateFacts> certificates = [CertificateFacts.Read(config.CertificateFile, config.KeyFile)];
        certificates.AddRange(config.Names.Select(name => CertificateFacts.Read(name.CertificateFile, name.KeyFile)));
        TlsServerSettings settings = new(new TlsIdentity(config.CertificateFile, config.KeyFile))
        {
            Names = config.Names.ToDictionary(
                name => name.Name, name => new TlsIdentity(name.CertificateFile, name.KeyFile), StringComparer.OrdinalIgnoreCase),
            AllowsTls12 = config.AllowsTls12,
        };
        RevokedList revoked = config.CrlFile is { } list ? RevokedList.Read(list) : RevokedList.None;
        TlsContext open = TlsContext.ForServer(settings);
        try
        {
            TlsContext? mutual = config.ClientCaFile is not { } ca ? null
                : TlsContext.ForServer(settings with { ClientCaFile = ca, CrlFile = config.CrlFile });
            return new TlsContexts(open, mutual, revoked, certificates);
        }
        catch
        {
            open.Dispose();
            throw;
        }
    }

    /// <summary>The context of a door; null when there is none.</summary>
    public TlsContext? Of(DoorTls door) => door == DoorTls.Mutual ? _mutual : _open;

    public void Dispose()
    {
        _open.Dispose();
        _mutual?.Dispose();
    }
}
