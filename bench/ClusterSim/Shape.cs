namespace Cocaine.Fast.Bench.ClusterSim;

/// <summary>The simulated cluster and its load.</summary>
/// <param name="Nodes">How many nodes; 4 to 16 slots each, of speeds 0.6, 1 and 1.6.</param>
/// <param name="Clients">How many clients.</param>
/// <param name="Jobs">How many jobs come, those of the warm-up too.</param>
internal sealed record Shape(int Nodes, int Clients, int Jobs)
{
    /// <summary>The mean time of a job at speed 1, ns.</summary>
    public const double MeanNs = 20e6;

    /// <summary>The squared coefficient of variation of the times, which are log-normal.</summary>
    public const double Variation = 4;

    /// <summary>One way between two machines, ns.</summary>
    public const long WayNs = 300_000;

    /// <summary>How often nodes tell their load, ns.</summary>
    public const long ReportNs = 100_000_000;

    /// <summary>The longest queue of a node.</summary>
    public const int QueueLimit = 100;

    /// <summary>A job that takes longer is late, ns.</summary>
    public const long DeadlineNs = 500_000_000;

    /// <summary>The part of all slots that the jobs need.</summary>
    public const double Load = 0.8;

    /// <summary>So many clients' connections: a client does not know more nodes.</summary>
    public const int KnownNodes = 20;

    /// <summary>The part of the jobs that is not counted: the nodes are empty at first.</summary>
    public const double WarmUp = 0.1;
}
