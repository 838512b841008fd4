namespace Cocaine.Fast.Core.Configuration;

/// <summary>The node's door for HTTP.</summary>
/// <param name="Endpoint">The endpoint, on this host alone.</param>
/// <param name="Metrics">The door gives the metrics at <c>/metrics</c>.</param>
/// <param name="TokenFile">The file of the token that every reader needs; null = none is needed.</param>
public sealed record WebConfig(string Endpoint, bool Metrics, string? TokenFile);
