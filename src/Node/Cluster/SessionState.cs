using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The phase of a node's sessions, with its words. One task changes it; any thread reads it.</summary>
/// <param name="log">The node's log.</param>
internal sealed class SessionState(ILogger log)
{
    private readonly Lock _lock = new(); // guards the fields below
    private ClusterPhase _phase = ClusterPhase.Connecting;
    private string? _reason;  // not while attached
    private string? _cluster; // from the first session that found it on

    /// <summary>The phase, its words, and the identity of the cluster.</summary>
    public (ClusterPhase Phase, string? Reason, string? Cluster) Now
    {
        get
        {
            lock (_lock)
            {
                return (_phase, _reason, _cluster);
            }
        }
    }

    /// <summary>The reason why nothing of the cluster can be changed now.</summary>
    public string Words => Now.Reason ?? "the node is not in its cluster yet";

    /// <summary>Changes the phase; a reason that is new is logged, and the same one each time that the node stays out.</summary>
    /// <param name="phase">The next phase.</param>
    /// <param name="reason">The words for it.</param>
    /// <param name="cluster">The cluster; null = as known.</param>
    public void MoveTo(ClusterPhase phase, string? reason, string? cluster)
    {
        bool isNew;
        lock (_lock)
        {
            if (_phase == ClusterPhase.Left)
            {
                throw new InvalidOperationException($"from {_phase} to {phase}");
            }

            isNew = _phase != phase;
            _phase = phase;
            _reason = reason;
            _cluster = cluster ?? _cluster;
        }

        if (phase is ClusterPhase.Out or ClusterPhase.Left)
        {
            ClusterLog.StaysOut(log, reason!);
        }
        else if (phase == ClusterPhase.Detached && isNew)
        {
            ClusterLog.Detached(log, reason!);
        }
    }
}
