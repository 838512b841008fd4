using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;
using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>Finds the apps of the cluster that this node should run. From one thread at a time.</summary>
/// <param name="facts">The facts of the apps.</param>
internal sealed class PlacedApps(FactsOfApps facts)
{
    /// <summary>
    /// How long a node that drains waits for other nodes to be ready for its apps: longer than a start of code, and an app that starts
    /// nowhere else does not keep the node.
    /// </summary>
    private const long LongestMoveMs = 60_000;

    private long? _drainsSinceMs; // by this node's own clock; null while it does not drain

    /// <summary>The records of the apps that this node should run, each with the manifest that this node should run.</summary>
    /// <param name="records">All records.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="self">This node, for a view that does not have it yet.</param>
    /// <param name="runs">Whether an app of the cluster runs here.</param>
    /// <param name="nowMs">The time of this node's own clock, ms.</param>
    public IReadOnlyList<AppRecord> Of(
        IReadOnlyList<AppRecord> records, MemberView view, Member self, Predicate<string> runs, long nowMs)
    {
        bool isDraining = view.Nodes.Any(node => node.Member.Uuid == self.Uuid && node.Member.IsDraining);
        _drainsSinceMs = isDraining ? _drainsSinceMs ?? nowMs : null;
        bool isOverdue = nowMs - _drainsSinceMs > LongestMoveMs;
        AppRecord[] live = [.. records.Where(record => !record.IsDeleted)];
        facts.Keep(live);
        List<Member> members = [.. view.Nodes.Select(node => node.Member)];
        if (!members.Exists(member => member.Uuid == self.Uuid))
        {
            members.Add(self);
        }

        return
        [
            .. live.Select(record => record.For(self.Uuid))
                .Where(record => IsMeant(record, members, view, self.Uuid, runs, isOverdue)),
        ];
    }

    /// <summary>The names of the nodes that an app means, with commas between them.</summary>
    /// <param name="record">The app.</param>
    /// <param name="view">The nodes.</param>
    public string NamesOf(AppRecord record, MemberView view)
    {
        IReadOnlyList<Member> meant = Placement.NodesOf(record.App, facts.Of(record).Placement, view.Nodes.Select(node => node.Member));
        return meant.Count == 0 ? "no node fits" : string.Join(", ", meant.Select(member => member.Name));
    }

    private bool IsMeant(AppRecord record, List<Member> members, MemberView view, string self, Predicate<string> runs, bool isOverdue)
    {
        IReadOnlyList<Member> meant = Placement.NodesOf(record.App, facts.Of(record).Placement, members);
        bool IsReady(Member member) => isOverdue
            || view.Nodes.FirstOrDefault(node => node.Record.Uuid == member.Uuid)?.Record.Ready.Contains(record.App) == true;
        return meant.Any(member => member.Uuid == self) || (runs(record.App) && !Placement.MayLeave(meant, IsReady));
    }
}
