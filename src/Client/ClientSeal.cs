namespace Cocaine.Fast.Client;

/// <summary>
/// The settings of a client that seals its calls: only the node can read and answer them, whatever relays them, and the node knows their
/// sender. See docs/security.md.
/// </summary>
public sealed record ClientSeal
{
    /// <summary>The name of the app, which the seal ties to each call.</summary>
    public required string App { get; init; }

    /// <summary>The file of the client's private RSA key: PKCS#8, PEM. The node knows its public half by a name.</summary>
    public required string KeyFile { get; init; }

    /// <summary>The file of the node's public RSA key: SubjectPublicKeyInfo, PEM.</summary>
    public required string NodeKeyFile { get; init; }
}
