using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Security;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Configuration;

/// <summary>A node's settings, as its config describes them. Null: the default depends on the user or machine.</summary>
public sealed record NodeConfig
{
    /// <summary>Folder for data that outlives the node; null = the user's own.</summary>
    public string? StateFolder { get; init; }

    /// <summary>Folder of the records of jobs; null = the user's own.</summary>
    public string? LedgerFolder { get; init; }

    /// <summary>The runtime folder, with the sockets of workers; null = the user's own.</summary>
    public string? RuntimeFolder { get; init; }

    /// <summary>The Unix socket of the control service; null = the user's own.</summary>
    public string? ControlEndpoint { get; init; }

    /// <summary>The endpoint of the control service over TCP, with mutual TLS; null = none.</summary>
    public string? TcpControlEndpoint { get; init; }

    /// <summary>Endpoint of the JSON control protocol of 2012 over ZeroMQ; null = none.</summary>
    public string? ZeroMqControlEndpoint { get; init; }

    /// <summary>The locator's endpoint; null = none.</summary>
    public string? Locator { get; init; } = "tcp://lo:10053";

    /// <summary>The locator's TLS; a Unix socket has none.</summary>
    public DoorTls LocatorTls { get; init; }

    /// <summary>The endpoint of the service <c>node</c> of Cocaine 0.12; null = none.</summary>
    public string? NodeService { get; init; }

    /// <summary>Event loops; 0 = half of the cores.</summary>
    public int Loops { get; init; }

    /// <summary>How long jobs may take to finish when the node stops, ms.</summary>
    public long DrainTimeoutMs { get; init; } = 30_000;

    /// <summary>The least level that is logged.</summary>
    public LogLevel LogLevel { get; init; } = LogLevel.Information;

    /// <summary><c>text</c> or <c>json</c>.</summary>
    public string LogFormat { get; init; } = "text";

    /// <summary>The file that gets the lines of the audit as well; null = none.</summary>
    public string? AuditFile { get; init; }

    /// <summary>Values for keys of <c>engine</c> that a manifest leaves out.</summary>
    public EngineDefaults EngineDefaults { get; init; } = new([]);

    /// <summary>The node's door for HTTP; null = none.</summary>
    public WebConfig? Web { get; init; }

    /// <summary>How the node meets other nodes; null = it is alone until a command joins a cluster.</summary>
    public ClusterConfig? Cluster { get; init; }

    /// <summary>The known callers and their rights.</summary>
    public SecurityConfig Security { get; init; } = new();

    /// <summary>Manifests of apps that are always there, as absolute paths.</summary>
    public IReadOnlyList<string> Apps { get; init; } = [];
}

/// <summary>The result of reading a config.</summary>
/// <param name="Config">The config; null when there is a mistake.</param>
/// <param name="Problems">All mistakes, in the order of the file.</param>
public sealed record ConfigResult(NodeConfig? Config, IReadOnlyList<ManifestProblem> Problems);
