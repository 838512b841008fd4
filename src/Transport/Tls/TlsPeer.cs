using Cocaine.Fast.Core.Security;

namespace Cocaine.Fast.Transport.Tls;

/// <summary>A client that has shown a certificate. The handshake has verified it.</summary>
/// <param name="Certificate">The names and the number.</param>
/// <param name="Key">The issuer and the number, as lists of revoked certificates have them.</param>
internal sealed record TlsPeer(PeerCertificate Certificate, CertificateKey Key)
{
    private volatile string? _refusal;

    /// <summary>The certificate, and behind it those that lead to the CA: DER.</summary>
    public IReadOnlyList<byte[]> Chain { get; init; } = [];

    /// <summary>The reason for which the files of now refuse the certificate; null when they take it. Any thread.</summary>
    public string? Refusal
    {
        get => _refusal;
        set => _refusal = value;
    }
}

/// <summary>The certificate among all: its issuer, as a digest of the encoded name, and its number.</summary>
internal readonly record struct CertificateKey(string Issuer, string SerialHex);

/// <summary>A connection whose handshake is done. The taker owns the descriptor and the session.</summary>
/// <param name="Descriptor">The socket.</param>
/// <param name="Session">The session.</param>
/// <param name="First">Bytes that came behind the handshake.</param>
/// <param name="Peer">The client's certificate; null when the door asks for none.</param>
internal sealed record SecuredPeer(int Descriptor, TlsSession Session, ReadOnlyMemory<byte> First, TlsPeer? Peer);
