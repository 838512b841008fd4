namespace Cocaine.Fast.Node.Metrics;

/// <summary>The answer of the method <c>stats</c>.</summary>
/// <param name="Id">The number of the answer, for a later <c>since</c>.</param>
/// <param name="Node">The node itself.</param>
/// <param name="Apps">The apps, by their names.</param>
/// <param name="Since">The answer since which counts are given; null = since the apps began.</param>
/// <param name="OverS">The time between the two answers, s.</param>
internal sealed record StatsAnswer(int Id, NodeStats Node, IReadOnlyList<AppStats> Apps, int? Since = null, double? OverS = null);

/// <summary>The figures of a node.</summary>
/// <param name="Host">The name of the host.</param>
/// <param name="Version">The release.</param>
/// <param name="UptimeS">Time since the start, s.</param>
/// <param name="Loops">Event loops.</param>
/// <param name="LoopsBusyS">CPU time of the loops' threads, s; since the start, or since an earlier answer.</param>
/// <param name="CpuS">CPU time of the process, in the same way.</param>
/// <param name="RssBytes">Resident memory.</param>
/// <param name="Quarantine">Jobs in quarantine.</param>
/// <param name="Silent">Apps whose loop did not answer in time.</param>
internal sealed record NodeStats(
    string Host, string Version, double UptimeS, int Loops, double LoopsBusyS, double CpuS, long RssBytes, int Quarantine, int Silent);
