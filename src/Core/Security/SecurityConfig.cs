namespace Cocaine.Fast.Core.Security;

/// <summary>The section <c>security</c> of a config. Immutable.</summary>
public sealed record SecurityConfig
{
    /// <summary>The most identities, and the most rules. The search for a token looks at the tokens of all identities.</summary>
    public const int MaxEntries = 1024;

    /// <summary>The folder of RSA keys; null = no sealed jobs.</summary>
    public string? KeysFolder { get; init; }

    /// <summary>The least protection of doors that other hosts can reach.</summary>
    public NetworkFloor Network { get; init; }

    /// <summary>The node's certificate and the CAs of clients; null = no door can have TLS.</summary>
    public TlsConfig? Tls { get; init; }

    /// <summary>The names of the RSA keys that quarantined jobs are sealed to; none = they are not sealed.</summary>
    public IReadOnlyList<string> QuarantineTo { get; init; } = [];

    /// <summary>The known callers.</summary>
    public IReadOnlyList<Identity> Identities { get; init; } = [];

    /// <summary>The rules, in the order of the file.</summary>
    public IReadOnlyList<RightsRule> Rights { get; init; } = [];

    /// <summary>Names of headers that the node writes nowhere, besides <c>authorization</c> and <c>seal</c>.</summary>
    public IReadOnlyList<string> SecretHeaders { get; init; } = [];

    /// <summary>The config has identities or rules. Without them the doors are as open as their endpoints.</summary>
    public bool HasRules => Identities.Count > 0 || Rights.Count > 0;
}
