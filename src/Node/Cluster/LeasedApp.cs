namespace Cocaine.Fast.Node.Cluster;

/// <summary>An app of the cluster that is ready here, and has tasks of which one node makes the jobs.</summary>
/// <param name="App">The app.</param>
/// <param name="GoesOnAlone">While the engine is away, its last holder goes on.</param>
internal sealed record LeasedApp(string App, bool GoesOnAlone);
