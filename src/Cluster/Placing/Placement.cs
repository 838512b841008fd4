using System.Buffers.Binary;
using System.Text;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Core.Digests;

namespace Cocaine.Fast.Cluster.Placing;

/// <summary>
/// Places apps on nodes. Each node computes the set from its own view. Views that differ for a moment mean one copy more or less.
/// </summary>
internal static class Placement
{
    /// <summary>
    /// A node that is down for longer no longer counts, and another node runs the app in its place. A minute is longer than a restart of
    /// a node, so a restart moves nothing.
    /// </summary>
    public const long CountsWhileDownMs = 60_000;

    /// <summary>
    /// The nodes that the app means, those with the highest hash of app and uuid first. Rendezvous hashing: a node that comes or goes
    /// moves only the apps that it gets or had.
    /// </summary>
    /// <param name="app">The name of the app.</param>
    /// <param name="rule">The app's rule.</param>
    /// <param name="members">All nodes, in any order.</param>
    public static IReadOnlyList<Member> NodesOf(string app, PlacementRule rule, IEnumerable<Member> members)
    {
        IEnumerable<Member> fitting = members.Where(member => Counts(member) && Fits(rule, member))
            .OrderByDescending(member => HashOf(app, member.Uuid)).ThenBy(member => member.Uuid, StringComparer.Ordinal);
        return [.. rule.Nodes is { } most ? fitting.Take(most) : fitting];
    }

    /// <summary>
    /// Whether a node that the app no longer means may drain it: all nodes that the app means, and that are up, are ready. Nobody is there
    /// for the app's calls when no node is meant or up: then the app stays.
    /// </summary>
    /// <param name="meant">The nodes that the app means.</param>
    /// <param name="isReady">Whether the app is ready on a node.</param>
    public static bool MayLeave(IReadOnlyList<Member> meant, Func<Member, bool> isReady)
    {
        Member[] up = [.. meant.Where(member => member.IsInWork)];
        return up.Length > 0 && up.All(isReady);
    }

    /// <summary>The weight of a node for an app, the same on each machine and in each version.</summary>
    /// <param name="app">The name of the app.</param>
    /// <param name="uuid">The uuid of the node.</param>
    public static ulong HashOf(string app, string uuid) =>
        BinaryPrimitives.ReadUInt64BigEndian(Sha256.HashOf(Encoding.UTF8.GetBytes($"{app}/{uuid}")));

    private static bool Counts(Member member) => !member.IsDraining && !(member.DownForMs > CountsWhileDownMs);

    private static bool Fits(PlacementRule rule, Member member) =>
        rule.Where.All(label => member.Labels.TryGetValue(label.Key, out string? value) && label.Value.Contains(value));
}
