namespace Cocaine.Fast.Node.Metrics;

/// <summary>The forms in which metrics are written.</summary>
internal enum MetricsForm
{
    /// <summary>The text format 0.0.4 of Prometheus.</summary>
    Plain,

    /// <summary>OpenMetrics 1.0: families of counters have no suffix, and the text says where it ends.</summary>
    Open,
}
