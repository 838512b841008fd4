using Cocaine.Fast.Client.Choosing;

namespace Cocaine.Fast.Client.Clusters;

/// <summary>Where the way to a node is: <c>waiting → connecting → open → leaving → closed</c>.</summary>
internal enum LinkState
{
    /// <summary>There is no connection; the next attempt comes at its time.</summary>
    Waiting,

    /// <summary>An attempt to connect is under way.</summary>
    Connecting,

    /// <summary>Calls may go.</summary>
    Open,

    /// <summary>The node is not named any more: its calls are finished, and no more go there.</summary>
    Leaving,

    /// <summary>The way is given up.</summary>
    Closed,
}

/// <summary>The way to one address of an app, over all connections to it. All members are under the lock of the set.</summary>
/// <param name="endpoint">The address.</param>
internal sealed class ClusterLink(string endpoint)
{
    public string Endpoint => endpoint;

    public LinkState State { get; private set; } = LinkState.Waiting;

    /// <summary>The load, and the client's own calls. Valid in every state: a node that was lost is avoided for a while after.</summary>
    public NodeNews News { get; } = new();

    /// <summary>The connection. Null but in Open and Leaving.</summary>
    public CocaineClient? Client { get; private set; }

    /// <summary>Counts the connections, so that a call of an earlier one is not taken for one of the present.</summary>
    public int Connection { get; private set; }

    /// <summary>The time of the next attempt, ns. Valid in Waiting.</summary>
    public long NextNs { get; private set; }

    /// <summary>Why there is no connection; null without a reason.</summary>
    public string? Problem { get; private set; }

    /// <summary>Completed when the node is silent; null while nobody waits for that. Valid in Open and Leaving.</summary>
    public TaskCompletionSource? Silence { get; set; }

    private int _failures; // attempts in a row that failed; for the pause before the next one

    /// <summary>Goes into a state; each has its reason to be entered in <see cref="NodeSet"/>.</summary>
    /// <param name="state">The state.</param>
    /// <param name="client">The connection, for Open.</param>
    /// <param name="nextNs">The time of the next attempt, for Waiting.</param>
    /// <param name="problem">The reason, for Waiting.</param>
    public void MoveTo(LinkState state, CocaineClient? client = null, long nextNs = 0, string? problem = null)
    {
        State = state;
        switch (state)
        {
            case LinkState.Open:
                Connection += client is null ? 0 : 1; // null: from Leaving, with its connection
                (Client, _failures, Problem) = (client ?? Client, 0, null);
                break;
            case LinkState.Waiting:
                (Client, NextNs, Problem) = (null, nextNs, problem);
                _failures++;
                break;
            case LinkState.Closed:
                Client = null;
                break;
        }
    }

    /// <summary>The pause before the next attempt, ns: it doubles from one failure to the next.</summary>
    public long PauseNs => Math.Min(
        ChoiceLimits.FirstPauseNs << Math.Min(_failures, ChoiceLimits.MostDoublings), ChoiceLimits.LongestPauseNs);
}

/// <summary>A call on its way: its node, and the connection that it took.</summary>
/// <param name="Link">The node.</param>
/// <param name="Client">The connection.</param>
/// <param name="Connection">The connection's number.</param>
internal readonly record struct Attempt(ClusterLink Link, CocaineClient Client, int Connection);
