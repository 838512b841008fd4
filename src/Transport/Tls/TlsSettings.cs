namespace Cocaine.Fast.Transport.Tls;

/// <summary>A certificate with its private key, as PEM files.</summary>
/// <param name="CertificateFile">The certificate, and behind it those of the CAs between it and the root.</param>
/// <param name="KeyFile">The private key.</param>
internal sealed record TlsIdentity(string CertificateFile, string KeyFile);

/// <summary>The settings of the doors of a node.</summary>
/// <param name="Identity">The certificate that a client sees when it asks for no name, or for another one.</param>
internal sealed record TlsServerSettings(TlsIdentity Identity)
{
    /// <summary>Certificates by the name that the client asks for (SNI).</summary>
    public IReadOnlyDictionary<string, TlsIdentity> Names { get; init; } = new Dictionary<string, TlsIdentity>();

    /// <summary>Clients must have a certificate of these CAs; null asks for none.</summary>
    public string? ClientCaFile { get; init; }

    /// <summary>Revoked certificates of clients; null checks none. Needs <see cref="ClientCaFile"/>.</summary>
    public string? CrlFile { get; init; }

    /// <summary>TLS 1.2 is allowed beside 1.3.</summary>
    public bool AllowsTls12 { get; init; }
}

/// <summary>The settings of a client.</summary>
internal sealed record TlsClientSettings
{
    /// <summary>The CAs that the server's certificate is judged by; null means those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>Revoked certificates of servers; null checks none. Needs <see cref="CaFile"/>.</summary>
    public string? CrlFile { get; init; }

    /// <summary>The client's own certificate; null means none.</summary>
    public TlsIdentity? Identity { get; init; }
}
