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

    /// <summary>Other nodes that a call may try: of three nodes that have no room or are gone, the fourth has none either.</summary>
    public const int MostRetriesOfACall = 2;

    /// <summary>The most nodes that a client is connected to: enough that the best of three is good, whatever the cluster's size.</summary>
    public const int MostNodes = 20;

    /// <summary>
    /// An address that so many answers in a row do not have is given up. Of 40 nodes an answer names eight by chance, and leaves out a node
    /// so often in one of four cases: then the client learns of another one. The view of one node may be wrong for some seconds, too.
    /// </summary>
    public const int MostMissed = 6;

    /// <summary>The pause before a lost node is tried again, ns. It doubles to the longest one, which is short for an operator.</summary>
    public const long FirstPauseNs = 100_000_000, LongestPauseNs = 5_000_000_000;

    /// <summary>After so many doublings the pause is the longest one.</summary>
    public const int MostDoublings = 6;

    /// <summary>Time between two looks at the nodes, ms: a fifth of the silence that a second copy of a call waits for.</summary>
    public const int LookMs = 50;

    /// <summary>Time between two questions to a locator, ms: the time within which a new node gets work.</summary>
    public const int ListMs = 10_000;

    /// <summary>Time at least between two questions when nodes are lost, ms: a restart of all nodes must not become a storm.</summary>
    public const int LeastListMs = 200;

    /// <summary>A new client that has one node waits for the others so long, ms: then its first calls go to all of them.</summary>
    public const int OthersMs = 250;
}
