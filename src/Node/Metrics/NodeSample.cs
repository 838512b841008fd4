namespace Cocaine.Fast.Node.Metrics;

/// <summary>The figures of a node and of its apps at one moment.</summary>
/// <param name="Node">The node.</param>
/// <param name="Apps">The apps that have answered, in the order of their names.</param>
/// <param name="Silent">Apps that have not answered in time: their loop is busy or stuck.</param>
internal sealed record NodeSample(CocaineNode Node, IReadOnlyList<AppSample> Apps, int Silent)
{
    /// <summary>The CPU time of each loop, s; null of a loop that did not answer.</summary>
    public IReadOnlyList<double?> LoopSeconds { get; init; } = [];
}
