namespace Cocaine.Fast.Node.Apps;

/// <summary>An app in a list of them.</summary>
/// <param name="App">Its name.</param>
/// <param name="Version">The version that takes new jobs.</param>
/// <param name="State">running, paused, broken, replacing or draining; failed when it could not be started.</param>
/// <param name="Slaves">Slaves that are alive, those of older versions that finish included.</param>
/// <param name="Busy">Slaves with jobs.</param>
/// <param name="Queued">Jobs that wait.</param>
/// <param name="Done">Jobs done since the app was created.</param>
/// <param name="Failed">Jobs failed since the app was created.</param>
/// <param name="Endpoints">Where it listens.</param>
/// <param name="Reason">Why it could not be started, or why its slaves cannot; null when it runs.</param>
public sealed record AppSummary(
    string App, int Version, string State, int Slaves, int Busy, int Queued, long Done, long Failed, IReadOnlyList<string> Endpoints,
    string? Reason = null);
