namespace Cocaine.Fast.Client.Choosing;

/// <summary>
/// The bounds of a client's choice among nodes, each with its reason. <c>bench -- cluster-sim</c> shows how the choice does.
/// </summary>
internal static class ChoiceLimits
{
    /// <summary>So many random nodes are compared. Two leave slow nodes too often; all of them draw all clients to one.</summary>
    public const int Compared = 3;

    /// <summary>News fades with this time constant, ns: a node's load a second ago says little of now.</summary>
    public const double FadeNs = 1e9;

    /// <summary>Faded news goes towards this part of the slots: a usual load, neither empty nor full.</summary>
    public const double UsualLoad = 0.8;

    /// <summary>The part of a mean that a full node costs more: of two nodes with free slots the emptier one is taken.</summary>
    public const double FullnessCost = 0.1;

    /// <summary>A node that has calls and says nothing for longer is avoided, ns: two and a half of its reports.</summary>
    public const long SilenceNs = 250_000_000;

    /// <summary>A node that refused a call without a time is avoided for this long, ns: a mean job's time.</summary>
    public const long RefusedNs = 20_000_000;

    /// <summary>A node whose connection was lost is avoided for this long, ns: most restarts take as long.</summary>
    public const long LostNs = 1_000_000_000;

    /// <summary>Calls may be retried at this part of all calls: retries then add a tenth to the load at most.</summary>
    public const double RetriesPerCall = 0.1;

    /// <summary>Retries a second that are free, so that a client with few calls may retry too.</summary>
    public const double RetriesPerSecond = 10;

    /// <summary>The most retries that are saved up: those of ten seconds. A longer fault must not let out a burst.</summary>
    public const double MostRetries = 100;
}
