namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>One job on its way.</summary>
internal sealed class SimJob(int number, int client, long bornNs, double workNs)
{
    public int Number => number;

    public int Client => client;

    public long BornNs => bornNs;

    /// <summary>Its time at speed 1, ns.</summary>
    public double WorkNs => workNs;

    /// <summary>The index of the client's node among those that the client knows.</summary>
    public int Choice { get; set; }

    /// <summary>The node that the client called.</summary>
    public SimNode Origin { get; set; } = null!;

    /// <summary>The index of the peer that it was forwarded to; -1 when it was not.</summary>
    public int Peer { get; set; } = -1;

    /// <summary>The node that runs it.</summary>
    public SimNode Runner { get; set; } = null!;

    public bool IsFailed { get; set; }
}
