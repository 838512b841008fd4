namespace Cocaine.Fast.Cluster.Forwarding;

/// <summary>
/// The bounds of forwarding, each with its reason. <c>bench -- cluster-sim</c> shows how the choice does against an oracle.
/// </summary>
internal static class ForwardLimits
{
    /// <summary>
    /// A report of a peer that is older says nothing: three reports of 100 ms were lost, so the peer or the way to it stands still.
    /// </summary>
    public const long OldestReportNs = 300_000_000;

    /// <summary>The part of the own mean that a peer must be better by: less gains nothing and forwards half as many jobs more.</summary>
    public const double Margin = 0.25;

    /// <summary>Peers that an app has at first: enough that two random ones of them are rarely both full.</summary>
    public const int FirstPeers = 16;

    /// <summary>Peers that are added at a time: half as many more as at first, so that 128 are there after a second and a half.</summary>
    public const int MorePeers = 8;

    /// <summary>The most peers of an app. With all clients at few nodes fewer peers refuse jobs; more of them cost reports.</summary>
    public const int MostPeers = 128;

    /// <summary>In a cluster of so many nodes each is everybody's peer.</summary>
    public const int FullMesh = FirstPeers + 1;

    /// <summary>How often the number of peers is looked at, ns: as often as reports come.</summary>
    public const long GrowthNs = 100_000_000;

    /// <summary>More decisions than this found no good peer within <see cref="GrowthNs"/>: not chance, but too few peers.</summary>
    public const int MostPoorDecisions = 3;
}
