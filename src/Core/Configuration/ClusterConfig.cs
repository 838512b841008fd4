namespace Cocaine.Fast.Core.Configuration;

/// <summary>The section <c>cluster</c> of a node's config: how the node meets other nodes.</summary>
public sealed record ClusterConfig
{
    /// <summary>The addresses of the cluster's engine; empty = the node is in no cluster until a command joins one.</summary>
    public IReadOnlyList<string> Engine { get; init; } = [];

    /// <summary>A file with the node's name and password at the engine, or NATS's own kind of credentials; null = none.</summary>
    public string? CredentialsFile { get; init; }

    /// <summary>The authorities of the engine's certificate, PEM; null = those of the system.</summary>
    public string? EngineCaFile { get; init; }

    /// <summary>The node's certificate at the engine, PEM; null = none.</summary>
    public string? EngineCertificateFile { get; init; }

    /// <summary>The key of the certificate, PEM; null = none.</summary>
    public string? EngineKeyFile { get; init; }

    /// <summary>The node's name in the cluster; null = the name of the host.</summary>
    public string? Name { get; init; }

    /// <summary>Words about the node, by which apps choose their nodes.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    /// <summary>The address at which other nodes find this one; null = the address from which the node reaches the engine.</summary>
    public string? Advertise { get; init; }

    /// <summary>The default of <see cref="Listen"/>.</summary>
    public const string DefaultListen = "tcp://*:10054";

    /// <summary>The node's peer port, where other nodes send jobs; it is opened once the node is in a cluster.</summary>
    public string Listen { get; init; } = DefaultListen;

    /// <summary>Whether jobs may go to other nodes and come from there.</summary>
    public bool Forwards { get; init; } = true;

    /// <summary>The default of <see cref="MostCodeBytes"/>: the code and the small data of an app; models belong elsewhere.</summary>
    public const long DefaultMostCodeBytes = 64L << 20;

    /// <summary>The largest value of <see cref="MostCodeBytes"/>: the engine keeps all of it, and each node its files too.</summary>
    public const long LargestMostCodeBytes = 1L << 30;

    /// <summary>The largest pack of code that the node takes, in bytes.</summary>
    public long MostCodeBytes { get; init; } = DefaultMostCodeBytes;

    /// <summary>Whether an engine on another host may be used without a password and without TLS.</summary>
    public bool IsInsecure { get; init; }

    /// <summary>Whether the connections to the engine have TLS, besides those to addresses that begin with <c>tls://</c>.</summary>
    public bool HasTls => EngineCaFile is not null || EngineCertificateFile is not null;
}
