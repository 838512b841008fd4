namespace Cocaine.Fast.Cluster.Forwarding;

/// <summary>How many peers an app has: few, and more while their choice is poor.</summary>
internal sealed class PeerCount
{
    private long _lookedNs;
    private int _poor;

    /// <summary>The number of peers that the app should have, beside this node.</summary>
    /// <param name="nodes">How many nodes run the app, this one too.</param>
    public int Of(int nodes) => Math.Min(nodes <= ForwardLimits.FullMesh ? ForwardLimits.FirstPeers : Wanted, nodes - 1);

    private int Wanted { get; set; } = ForwardLimits.FirstPeers;

    /// <summary>A job found no free slave here, and this was the choice.</summary>
    /// <param name="ownWaitNs">The wait here, ns.</param>
    /// <param name="bestWaitNs">The wait at the better peer, ns.</param>
    /// <param name="nowNs">The time of this node's own clock, ns.</param>
    public void OnDecision(long ownWaitNs, long bestWaitNs, long nowNs)
    {
        if (nowNs - _lookedNs >= ForwardLimits.GrowthNs)
        {
            _lookedNs = nowNs;
            _poor = 0;
        }

        _poor += bestWaitNs >= ownWaitNs / 2 ? 1 : 0;
        if (_poor == ForwardLimits.MostPoorDecisions + 1)
        {
            Wanted = Math.Min(Wanted + ForwardLimits.MorePeers, ForwardLimits.MostPeers);
        }
    }
}
