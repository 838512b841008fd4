namespace Cocaine.Fast.Transport.Tls;

/// <summary>The part that a mistake of TLS is in.</summary>
internal enum TlsPart
{
    /// <summary>The library itself.</summary>
    Library,

    /// <summary>The certificate, or its chain.</summary>
    Certificate,

    /// <summary>The private key.</summary>
    Key,

    /// <summary>The certificates of the CAs that peers are judged by.</summary>
    Ca,

    /// <summary>The list of revoked certificates.</summary>
    Crl,

    /// <summary>The other side, and no file.</summary>
    Peer,
}

/// <summary>TLS cannot be used as it is configured, or not with this peer. The message names the file.</summary>
internal sealed class TlsException(TlsPart part, string? file, string message) : IOException(message)
{
    /// <summary>The file that has the mistake; null when it is in none.</summary>
    public string? File { get; } = file;

    /// <summary>The part that the mistake is in.</summary>
    public TlsPart Part { get; } = part;
}
