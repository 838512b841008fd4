using System.Security.Cryptography;
using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>Everything that a node's files of TLS say at one time: the contexts of its doors, and the revoked clients. Immutable.</summary>
internal sealed class TlsContexts : IDisposable
{
    private readonly TlsContext _open;
    private readonly TlsContext? _mutual; // null without a CA of clients
    private readonly TlsContext? _member; // for connections to other nodes; null without a CA of clients

    private readonly byte[] _judges; // a digest of the CAs of clients and of the revoked certificates

    private TlsContexts(
        TlsContext open, TlsContext? mutual, TlsContext? member, RevokedList revoked, IReadOnlyList<CertificateFacts> certificates,
        byte[] judges)
    {
        _judges = judges;
        _open = open;
        _mutual = mutual;
        _member = member;
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
        byte[] judges = Digest(config.ClientCaFile, config.CrlFile); // before they are read: a change meanwhile shows at the next look
        RevokedList revoked = config.CrlFile is { } list ? RevokedList.Read(list) : RevokedList.None;
        TlsContext open = TlsContext.ForServer(settings);
        TlsContext? mutual = null;
        try
        {
            if (config.ClientCaFile is not { } ca)
            {
                return new TlsContexts(open, null, null, revoked, certificates, judges);
            }

            mutual = TlsContext.ForServer(settings with { ClientCaFile = ca, CrlFile = config.CrlFile });
            TlsContext member = TlsContext.ForClient(
                new TlsClientSettings { CaFile = ca, CrlFile = config.CrlFile, Identity = settings.Identity });
            return new TlsContexts(open, mutual, member, revoked, certificates, judges);
        }
        catch
        {
            open.Dispose();
            mutual?.Dispose();
            throw;
        }
    }

    /// <summary>Finds out whether these files take the certificate of a client. False when they were disposed of.</summary>
    /// <param name="peer">The client.</param>
    /// <param name="problem">The reason for which they refuse it; null when they take it.</param>
    public bool TryVerify(TlsPeer peer, out string? problem)
    {
        problem = Revoked.Contains(peer.Key) ? "certificate revoked" : _mutual is null ? "the node has no CA of clients any more" : null;
        return problem is not null || _mutual!.TryVerify(peer, out problem);
    }

    /// <summary>Both take the same clients: their CAs and revoked certificates are the same.</summary>
    public bool JudgesLike(TlsContexts other) => _judges.AsSpan().SequenceEqual(other._judges);

    /// <summary>Connections to other nodes, which show this node's certificate and want one of the CA; null without a CA.</summary>
    public TlsContext? Member => _member;

    /// <summary>The context of a door; null when there is none.</summary>
    public TlsContext? Of(DoorTls door) => door == DoorTls.Mutual ? _mutual : _open;

    public void Dispose()
    {
        _open.Dispose();
        _mutual?.Dispose();
        _member?.Dispose();
    }

    private static byte[] Digest(params string?[] files)
    {
        using IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string? file in files)
        {
            digest.AppendData([0]);
            try
            {
                digest.AppendData(file is null ? [] : File.ReadAllBytes(file));
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // reported when the file is read for its use
            }
        }

        return digest.GetHashAndReset();
    }
}
