using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The keys of <c>security</c> in a config.</summary>
internal static class SecurityKeys
{
    /// <summary><c>security</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new(
            "network", KeyKind.Text,
            "the least protection of doors that other hosts can reach: `tls`, certificates of callers too (`mutual`), or jobs that are "
            + "sealed (`sealed`); a door below it is a mistake", "open")
        {
            Choices = ["open", "tls", "mutual", "sealed"],
        },
        new("tls", KeyKind.Section, "the node's certificate, and the CAs of its clients, below", "no door has TLS"),
        new(
            "keys", KeyKind.AbsolutePath,
            "folder of the RSA keys of those who may seal jobs (`NAME.pub`) and of the node (`own/*.pem`): docs/security.md",
            "none: no sealed jobs"),
        new(
            "quarantine-to", KeyKind.TextList,
            "names of keys in that folder: quarantined jobs on the disk are sealed to them, docs/quarantine.md",
            "none: they are not sealed"),
        new("identities", KeyKind.NamedSections, "the callers that the node knows, each by its name, below"),
        new("rights", KeyKind.Sections, "rules, below: each gives rights to some callers, and none takes a right away"),
        new(
            "secret-headers", KeyKind.TextList,
            "headers of calls that the node writes nowhere, in any case of their letters; `authorization` and `seal` are always among "
            + "them"),
    ];

    /// <summary><c>security.tls</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Tls =
    [
        new(
            "certificate", KeyKind.CredentialPath, "the node's certificate, and behind it those of the CAs up to the root: PEM",
            "required"),
        new("key", KeyKind.CredentialPath, "its private key, PEM without a password; nobody but the owner may read the file", "required"),
        new("client-ca", KeyKind.CredentialPath, "the CAs of clients, PEM: doors with `mutual` take clients of these alone"),
        new("crl", KeyKind.CredentialPath, "the revoked certificates of these CAs, PEM; a list whose time is over refuses everybody"),
        new("names", KeyKind.NamedSections, "certificates for other names that clients ask for, each by its name, below"),
        new("minimum-version", KeyKind.Text, "the least version of TLS", "1.3") { Choices = ["1.2", "1.3"] },
        new("handshake-timeout", KeyKind.Duration, "the longest handshake", "10") { Min = 100 },
    ];

    /// <summary>A name in <c>security.tls.names</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> TlsName =
    [
        new("certificate", KeyKind.CredentialPath, "the certificate of the name, with its chain: PEM", "required"),
        new("key", KeyKind.CredentialPath, "its private key, PEM without a password", "required"),
    ];

    /// <summary>An identity in <c>security.identities</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Identity =
    [
        new(
            "certificate", KeyKind.TextList,
            "names of client certificates: `URI:`, `DNS:` or `EMAIL:` and an alternative name, or `CN:` and the common name of a "
            + "certificate without alternative names; each matches whole"),
        new("rsa", KeyKind.TextList, "names of RSA keys that seal the caller's jobs"),
        new("user", KeyKind.TextList, "users of this host, by name or number, for calls over Unix sockets"),
        new(
            "token", KeyKind.TextList,
            "`sha256:` and the SHA-256 of a token in hexadecimal; the caller sends the token in the header `authorization`"),
        new("rate", KeyKind.Integer, "the most calls a second", "no bound") { Min = 1, Max = 100_000_000 },
        new("connections", KeyKind.Integer, "the most open connections", "no bound") { Min = 1 },
    ];

    /// <summary>A rule in <c>security.rights</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Rule =
    [
        new(
            "who", KeyKind.TextList,
            "names of identities; `@local` = everybody on a Unix socket, `@loopback` = everybody on a loopback address, `@anyone`",
            "required"),
        new("call", KeyKind.Lists, "events that the callers may call, by the name of the app; `*` stands for any letters in both"),
        new("locate", KeyKind.TextList, "apps whose addresses the locator tells, besides those that the callers may call"),
        new("control", KeyKind.TextList, "methods of control that the callers may use; `*` = all"),
        new("apps", KeyKind.TextList, "the apps of `control`", "all"),
    ];
}
