namespace Cocaine.Fast.Client;

/// <summary>Adds the meaning for a caller to the words of OpenSSL.</summary>
internal static class TlsFaults
{
    /// <summary>The alerts that a server sends about a client, by the words that each version of OpenSSL has for them.</summary>
    private static readonly (string Words, string Meaning)[] Alerts =
    [
        ("alert certificate required", "the server lets in only clients with a certificate, and this one has none"),
        ("alert unknown ca", "the server does not know the authority of this client's certificate"),
        ("alert certificate expired", "this client's certificate has ended, or has not begun"),
        ("alert certificate revoked", "this client's certificate was revoked"),
        ("alert unsupported certificate", "this client's certificate is not for clients"),
        ("alert bad certificate", "the server refuses this client's certificate"),
        ("alert certificate unknown", "the server refuses this client's certificate"),
        ("alert access denied", "the server knows this client's certificate, and does not let it in"),
        ("alert no application protocol", "another kind of server is there"),
        ("alert protocol version", "the server does not speak TLS 1.3"),
    ];

    /// <summary>The checks of a server's certificate, by the words of OpenSSL.</summary>
    private static readonly (string Words, string Meaning)[] Checks =
    [
        ("ostname mismatch", "it is not for this name"),
        ("IP address mismatch", "it is not for this address"),
        ("has expired", "it has ended"),
        ("not yet valid", "it has not begun"),
        ("unable to get local issuer", "no known authority has signed it"),
        ("self-signed certificate", "it is signed by an authority that is not known here"),
        ("certificate signature failure", "another authority of the same name has signed it"),
        ("certificate purpose", "it is not for servers"),
        ("wrong version number", "no TLS is spoken there"),
    ];

    /// <summary>The reason of a connection's end, with the meaning of an alert of TLS behind it.</summary>
    public static string OfEnd(string reason) => Meaning(Alerts, reason) is { } meaning ? $"{reason}: {meaning}" : reason;

    /// <summary>The reason of a failed handshake, with the check that failed.</summary>
    /// <param name="reason">The reason as OpenSSL tells it.</param>
    /// <param name="name">The name that the server must have.</param>
    public static string OfHandshake(string reason, string name) =>
        Meaning(Alerts, reason) is { } alert ? $"{reason}: {alert}"
        : Meaning(Checks, reason) is { } check ? $"{reason} (asked for '{name}'): {check}"
        : reason;

    private static string? Meaning((string Words, string Meaning)[] table, string reason) =>
        Array.Find(table, one => reason.Contains(one.Words, StringComparison.Ordinal)).Meaning;
}
