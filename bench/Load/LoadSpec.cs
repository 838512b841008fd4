namespace Cocaine.Fast.Bench.Load;

/// <summary>One measurement that a load agent is asked for.</summary>
/// <param name="Protocol">native, raw, grpc, netmq, nats.</param>
/// <param name="Endpoint">Where the server is.</param>
/// <param name="Connections">Connections.</param>
/// <param name="InFlight">Requests in flight on each.</param>
/// <param name="SizeBytes">Payload of a request.</param>
/// <param name="Seconds">How long is measured, after a warm-up.</param>
/// <param name="WarmSeconds">The warm-up.</param>
/// <param name="ServerPids">The server's processes; their descendants are counted too.</param>
internal sealed record LoadSpec(
    string Protocol, string Endpoint, int Connections, int InFlight, int SizeBytes, double Seconds, double WarmSeconds, int[] ServerPids);

/// <summary>What was measured.</summary>
internal sealed record LoadFigures(
    double RequestsPerSecond, double P50Us, double P99Us, double P999Us, double ServerCpuPerMillion, double ClientCpuPerMillion,
    long ServerRssBytes, long Requests, long Wrong, double? AllocatedBytesPerRequest, string Error)
{
    public static LoadFigures Failed(string error) => new(0, 0, 0, 0, 0, 0, 0, 0, 0, null, error);
}
