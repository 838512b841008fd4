namespace Cocaine.Fast.Core.Security;

/// <summary>
/// A caller that the config of a node knows by name. The caller may prove this identity only by the means that stand here. Immutable.
/// </summary>
public sealed record Identity
{
    /// <summary>The name that rules, texts and logs use.</summary>
    public required string Name { get; init; }

    /// <summary>Names of certificates with their prefixes, as in <see cref="PeerCertificate.Names"/>; they match whole.</summary>
    public IReadOnlyList<string> Certificates { get; init; } = [];

    /// <summary>Names of RSA keys that seal the caller's jobs.</summary>
    public IReadOnlyList<string> RsaKeys { get; init; } = [];

    /// <summary>Users of this host, by name or number, on Unix sockets.</summary>
    public IReadOnlyList<string> Users { get; init; } = [];

    /// <summary>SHA-256 of each token, 32 bytes.</summary>
    public IReadOnlyList<byte[]> TokenHashes { get; init; } = [];

    /// <summary>The most calls a second; 0 = no bound.</summary>
    public int CallsPerSecond { get; init; }

    /// <summary>The most open connections; 0 = no bound of its own.</summary>
    public int MaxConnections { get; init; }
}
