namespace Cocaine.Fast.Client.Clusters;

/// <summary>The settings of a client of a cluster.</summary>
public sealed record ClusterOptions
{
    /// <summary>
    /// The locators of some nodes, of which one has to answer: more than one, so that the loss of a node does not leave the client without.
    /// Empty = the variable <c>COCAINE_LOCATOR</c>, which a node sets for its workers, or <see cref="AppLocator.DefaultEndpoint"/>.
    /// </summary>
    public IReadOnlyList<string> Locators { get; init; } = [];

    /// <summary>
    /// The settings of each connection. <see cref="ClientOptions.ConnectTimeout"/> is also the longest time that a call waits while no node
    /// is connected. Sealed calls are for one node, and so <see cref="ClientOptions.Seal"/> is refused.
    /// </summary>
    public ClientOptions Connection { get; init; } = new();
}

/// <summary>A node, as a client of a cluster sees it.</summary>
/// <param name="Endpoint">Its address.</param>
/// <param name="IsConnected">Calls may go there.</param>
/// <param name="Calls">The client's calls that are there.</param>
/// <param name="Problem">Why it is not connected; null without a reason.</param>
public sealed record ClusterNode(string Endpoint, bool IsConnected, int Calls, string? Problem);
