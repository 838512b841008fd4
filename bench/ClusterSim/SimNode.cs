using Cocaine.Fast.Cluster.Forwarding;
using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>One simulated node: slots, a queue, and its view of its peers.</summary>
internal sealed class SimNode(int index, int slots, double speed)
{
    public int Index => index;

    public int Slots => slots;

    public double Speed => speed;

    public int Running { get; set; }

    public Queue<SimJob> Queue { get; } = [];

    public ServiceMean Mean { get; } = new();

    public PeerCount Count { get; } = new();

    /// <summary>The peers, as many as there are links, in a random order.</summary>
    public List<SimNode> Peers { get; } = [];

    public List<PeerLoad> Loads { get; } = [];

    public LoadReport Report => new(slots, Running, Queue.Count, Mean.Ns);

    public bool HasRoom => Running < slots;
}
