namespace Cocaine.Fast.Core.Security;

/// <summary>The section <c>security.tls</c> of a config. Immutable.</summary>
public sealed record TlsConfig
{
    /// <summary>The default of <see cref="HandshakeTimeoutMs"/>: several round trips to any place, also of a slow client.</summary>
    public const long UsualHandshakeTimeoutMs = 10_000;

    /// <summary>The node's certificate, PEM, with its chain behind it.</summary>
    public required string CertificateFile { get; init; }

    /// <summary>The private key of the certificate, PEM.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The CAs of clients, PEM; null = no door can be <c>mutual</c>.</summary>
    public string? ClientCaFile { get; init; }

    /// <summary>The revoked certificates of clients, PEM; null = none.</summary>
    public string? CrlFile { get; init; }

    /// <summary>Certificates for other names that clients ask for.</summary>
    public IReadOnlyList<TlsName> Names { get; init; } = [];

    /// <summary>TLS 1.2 is allowed too.</summary>
    public bool AllowsTls12 { get; init; }

    /// <summary>The longest handshake, ms.</summary>
    public long HandshakeTimeoutMs { get; init; } = UsualHandshakeTimeoutMs;

    /// <summary>The places of the keys, by their paths; empty for a config made in code.</summary>
    internal IReadOnlyDictionary<string, TlsPlace> Places { get; init; } = new Dictionary<string, TlsPlace>();
}

/// <summary>A certificate for a name that clients ask for.</summary>
/// <param name="Name">The name.</param>
/// <param name="CertificateFile">The certificate, PEM, with its chain behind it.</param>
/// <param name="KeyFile">The private key, PEM.</param>
public sealed record TlsName(string Name, string CertificateFile, string KeyFile);

/// <summary>The place of a key in a config.</summary>
/// <param name="File">The file as the caller named it.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
internal readonly record struct TlsPlace(string File, int Line, int Column);

/// <summary>The TLS of a door.</summary>
public enum DoorTls
{
    /// <summary>Plain bytes.</summary>
    Off,

    /// <summary>The node has a certificate.</summary>
    On,

    /// <summary>The node and each client have a certificate.</summary>
    Mutual,
}
