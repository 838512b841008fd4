using Cocaine.Fast.Cluster.Leases;

namespace Cocaine.Fast.Cluster.Tests.Leases;

/// <summary>A write on its way to the engine.</summary>
internal sealed record SimWrite(LeaseWrite Write, int Session, int Life);

/// <summary>A node with a clock of its own, which starts anywhere and runs a little wrong.</summary>
internal sealed class LeaseNode(string name, long offsetMs, double rate)
{
    private long _incarnation = 1;

    public Lease Lease { get; private set; } = new(name, 1);

    public List<SimWrite> Writes { get; } = [];

    public long SkewMs { get; } = offsetMs % 700;

    public bool HasSession { get; set; }

    public int Session { get; private set; }

    public int Life { get; set; }

    public bool IsCut { get; set; }

    public long PausedUntilMs { get; set; }

    public long ClockMs(long nowMs) => offsetMs + (long)(nowMs * rate);

    /// <summary>Whether the node is up and reaches the engine.</summary>
    public bool IsCurrent(long nowMs) => !IsCut && nowMs >= PausedUntilMs;

    public void EndSession()
    {
        HasSession = false;
        Session++;
        Lease.OnDetached();
    }

    /// <summary>Killed and started again: a new start with an empty memory. Its writes on the way stay on their way.</summary>
    public void Restart()
    {
        HasSession = false;
        Session++;
        Lease = new Lease(name, ++_incarnation);
        PausedUntilMs = 0;
    }
}
