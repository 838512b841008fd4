using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;

namespace Cocaine.Fast.Cluster.Leases;

/// <summary>The nodes that may take the lease of an app.</summary>
internal static class LeaseCandidates
{
    /// <summary>
    /// The first of the nodes in work that run the app, by its hash: few nodes watch a lease, and apps spread their leases.
    /// </summary>
    /// <param name="app">The name of the app.</param>
    /// <param name="running">The nodes that run it.</param>
    public static IReadOnlyList<Member> Of(string app, IEnumerable<Member> running) =>
    [
        .. running.Where(member => member.IsInWork).OrderByDescending(member => Placement.HashOf(app, member.Uuid))
            .Take(LeaseLimits.Candidates),
    ];
}
