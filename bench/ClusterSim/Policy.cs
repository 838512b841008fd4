namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>How a client chooses among the nodes that it knows.</summary>
internal enum Policy
{
    Random,
    RoundRobin,

    /// <summary>The one of two random nodes with fewer calls of this client.</summary>
    TwoByOwn,

    /// <summary>The one of two random nodes with the lower product of own calls and a mean that keeps its peaks.</summary>
    TwoByPeak,

    /// <summary>The one of two random nodes with the lower wait, by reports that are up to 200 ms old.</summary>
    TwoByReport,

    /// <summary>The node with the lowest reported wait of all, by the same reports.</summary>
    LeastReported,

    /// <summary>The client library's choice: the best of three, with news on answers and own calls.</summary>
    Ours,

    /// <summary>Each client stays with one node, as clients of Cocaine do.</summary>
    Sticky,

    /// <summary>All clients call one node.</summary>
    OneNode,
}
