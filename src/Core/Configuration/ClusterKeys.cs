using Cocaine.Fast.Core.Manifest;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>The keys of <c>cluster</c> in a config.</summary>
internal static class ClusterKeys
{
    /// <summary><c>cluster</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Top =
    [
        new(
            "engine", KeyKind.TextList,
            "addresses of the cluster's engine, a nats-server with JetStream: `nats://HOST:PORT`, or `tls://HOST:PORT`",
            "none: the node is alone until `cluster join`"),
        new(
            "credentials", KeyKind.CredentialPath,
            "a file with `USER:PASSWORD` for the engine, or with credentials as NATS makes them; nobody but the owner may read it"),
        new("engine-tls", KeyKind.Section, "TLS to the engine, below", "by the address"),
        new("name", KeyKind.Text, "the node's name, which no other node of the cluster has", "the name of the host")
        {
            ExpectedWords = "a name of letters, digits, '.', '_' and '-', at most 64 characters",
            Check = name => EngineAddress.IsNodeName(name.Text) ? null : new TextMistake(null, []),
        },
        new("labels", KeyKind.Variables, "words about the node, by which apps choose their nodes: `{\"zone\": \"a\"}`"),
        new(
            "advertise", KeyKind.Text, "the address at which other nodes and clients find this node",
            "the address from which the node reaches the engine")
        {
            ExpectedWords = "an address or a name of this host, without a port",
            Check = host => EngineAddress.IsHost(host.Text) ? null : new TextMistake(null, []),
        },
        new(
            "listen", KeyKind.Endpoint, "the node's peer port, where other nodes send jobs, `tcp://HOST:PORT`; port 0 is any free one",
            ClusterConfig.DefaultListen),
        new("forward", KeyKind.Boolean, "jobs that would wait here may go to other nodes, and come from there", "true"),
        new(
            "max-code", KeyKind.Bytes, "the largest pack of an app's code that the node takes from `app create --pack` or from the cluster",
            "64MiB")
        {
            Min = 1,
            Max = ClusterConfig.LargestMostCodeBytes,
        },
        new(
            "insecure", KeyKind.Boolean,
            "an engine on another host may be used without `credentials` and TLS: whoever reaches it runs code on all nodes", "false"),
    ];

    /// <summary><c>cluster.engine-tls</c>.</summary>
    public static readonly IReadOnlyList<KeySpec> Tls =
    [
        new("ca", KeyKind.CredentialPath, "the CAs of the engine's certificate: PEM", "those of the system"),
        new("certificate", KeyKind.CredentialPath, "the node's certificate, for engines that want one: PEM"),
        new("key", KeyKind.CredentialPath, "its private key, PEM without a password; nobody but the owner may read the file"),
    ];
}
