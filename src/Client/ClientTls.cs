namespace Cocaine.Fast.Client;

/// <summary>
/// The settings of TLS to a server. The server's certificate and its name are always checked. All files are PEM, and are read for each
/// connection, so that a new connection has a renewed certificate.
/// </summary>
public sealed record ClientTls
{
    /// <summary>The certificates of the authorities that the server's certificate is judged by; null = those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>
    /// The client's own certificate, and behind it those of the authorities below the root; null = none. Needs <see cref="KeyFile"/>.
    /// </summary>
    public string? CertificateFile { get; init; }

    /// <summary>The private key of <see cref="CertificateFile"/>, without a password.</summary>
    public string? KeyFile { get; init; }

    /// <summary>
    /// The name or the address that the server's certificate must have; null = the host of the endpoint. For an address that a locator
    /// gave this is the name of the locator's host, because certificates have names and seldom addresses.
    /// </summary>
    public string? ServerName { get; init; }
}
