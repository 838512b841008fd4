using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The keys of <c>web</c> in a config.</summary>
internal static class WebKeys
{
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new(
            "endpoint", KeyKind.Endpoint,
            "where the node answers HTTP: an address of this host alone, such as tcp://lo:9180, or a Unix socket", "required")
        {
            ExpectedWords = "an endpoint (tcp://HOST:PORT or ipc:///path)",
        },
        new("metrics", KeyKind.Boolean, "the metrics at `/metrics`, for Prometheus: docs/metrics.md", "true"),
        new(
            "token-file", KeyKind.CredentialPath,
            "a file with the token that every reader must send (`Authorization: Bearer TOKEN`); nobody but the owner may read it",
            "none: every user of this host may read"),
    ];
}
