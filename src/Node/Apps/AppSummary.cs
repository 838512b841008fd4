namespace Cocaine.Fast.Node.Apps;

/// <summary>An app in a list of apps.</summary>
/// <param name="App">The app's name.</param>
/// <param name="Version">The version that takes new jobs.</param>
/// <param name="State">running, paused, broken, replacing or draining; failed when the app could not be started, elsewhere when the
/// node's cluster runs it on other nodes.</param>
/// <param name="Slaves">Slaves that are alive, including slaves of older versions that finish their jobs.</param>
/// <param name="Busy">Slaves with jobs.</param>
/// <param name="Queued">Jobs that wait.</param>
/// <param name="Done">Jobs done since the app was created.</param>
/// <param name="Failed">Jobs failed since the app was created.</param>
/// <param name="Endpoints">The endpoints that the app listens on.</param>
/// <param name="Reason">Why the app or its slaves could not be started; null when the app runs.</param>
public sealed record AppSummary(
    string App, int Version, string State, int Slaves, int Busy, int Queued, long Done, long Failed, IReadOnlyList<string> Endpoints,
    string? Reason = null)
{
    /// <summary>
    /// The tasks that make jobs by themselves, each with the nodes that do so, <c>one</c> or <c>all</c>; only in the answer about an app
    /// that was created for all nodes of a cluster.
    /// </summary>
    public IReadOnlyDictionary<string, string>? RunOn { get; init; }
}
