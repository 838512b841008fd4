using System.Text.Json.Serialization;
using Cocaine.Fast.Client;

namespace Cocaine.Fast.Bench.Load;

/// <summary>One measurement that a load agent is asked for.</summary>
/// <param name="Protocol">native, raw, grpc, netmq, nats, blob.</param>
/// <param name="Endpoints">Where the server is; connections are spread over several.</param>
/// <param name="Connections">Connections.</param>
/// <param name="InFlight">Requests in flight on each.</param>
/// <param name="SizeBytes">Payload of a request.</param>
/// <param name="Seconds">How long is measured, after a warm-up.</param>
/// <param name="WarmSeconds">The warm-up.</param>
/// <param name="ServerPids">The server's processes; their descendants are counted too.</param>
internal sealed record LoadSpec(
    string Protocol, string[] Endpoints, int Connections, int InFlight, int SizeBytes, double Seconds, double WarmSeconds,
    int[] ServerPids)
{
    /// <summary>The first of them: all there is, for most.</summary>
    [JsonIgnore]
    public string Endpoint => Endpoints[0];

    /// <summary>The certificates of the authorities that a server with TLS is judged by; empty without TLS.</summary>
    public string CaFile { get; init; } = "";

    /// <summary>The event that native requests call.</summary>
    public string Event { get; init; } = "echo";

    /// <summary>The settings of the connections.</summary>
    [JsonIgnore]
    public ClientOptions Connecting => new()
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        Tls = CaFile.Length > 0 ? new ClientTls { CaFile = CaFile } : null,
    };

    /// <summary>Each request of the native protocol carries a deadline this far away; 0 = none.</summary>
    public long DeadlineMs { get; init; }
}

/// <summary>What was measured.</summary>
/// <param name="RequestsPerSecond">Whole answers.</param>
/// <param name="P50Us">Latency, µs.</param>
/// <param name="P99Us">Latency, µs.</param>
/// <param name="P999Us">Latency, µs.</param>
/// <param name="ServerCpuPerMillion">CPU seconds of the server's processes with their descendants, per million requests.</param>
/// <param name="RootCpuPerMillion">Of it those of the server's own processes, without descendants: of ours, the node.</param>
/// <param name="ClientCpuPerMillion">CPU seconds of the client's process, per million requests.</param>
/// <param name="ServerRssBytes">Resident memory of the server's processes.</param>
/// <param name="Wrong">Answers that were not the ones to their requests.</param>
/// <param name="Node">What a node of ours counted, per request; null for others.</param>
/// <param name="Error">Why nothing was measured; empty when it was.</param>
internal sealed record LoadFigures(
    double RequestsPerSecond, double P50Us, double P99Us, double P999Us, double ServerCpuPerMillion, double RootCpuPerMillion,
    double ClientCpuPerMillion, long ServerRssBytes, long Wrong, NodeCounts? Node, string Error)
{
    public static LoadFigures Failed(string error) => new(0, 0, 0, 0, 0, 0, 0, 0, 0, null, error);
}
