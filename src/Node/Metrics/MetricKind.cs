namespace Cocaine.Fast.Node.Metrics;

/// <summary>A family of metrics.</summary>
/// <param name="Name">The name without the prefix, or a standard name.</param>
/// <param name="Type">counter, gauge or histogram.</param>
/// <param name="Help">The meaning, on one line.</param>
internal sealed record MetricKind(string Name, string Type, string Help)
{
    /// <summary>Every program has a metric of this name, which has no prefix.</summary>
    public bool IsStandard { get; init; }
}
