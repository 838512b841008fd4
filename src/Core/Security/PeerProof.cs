namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The facts about the peer of a connection that may prove an identity. Immutable; each change of the rules looks at it again.
/// </summary>
/// <param name="Place">The place of the peer.</param>
/// <param name="User">The peer's user on a Unix socket, as the kernel tells it; null on other sockets.</param>
/// <param name="Certificate">The peer's verified certificate; null when there is none.</param>
/// <param name="IsEncrypted">The connection is encrypted.</param>
internal sealed record PeerProof(CallerPlace Place, uint? User = null, PeerCertificate? Certificate = null, bool IsEncrypted = false)
{
    /// <summary>A token may come over this connection: nobody else can read it on its way.</summary>
    public bool TakesTokens => IsEncrypted || Place == CallerPlace.Local;

    /// <summary>The caller that the connection itself proves.</summary>
    public Caller CallerIn(SecurityRules rules) => new(
        Certificate is not null ? rules.OfCertificate(Certificate) : User is { } user ? rules.OfUser(user) : null, Place);

    /// <summary>The means by which the connection's caller is known, for the audit.</summary>
    public string MeansOf(in Caller caller) =>
        caller.Identity is null ? AuditEntry.NoMeans : Certificate is not null ? "certificate" : "user";
}
