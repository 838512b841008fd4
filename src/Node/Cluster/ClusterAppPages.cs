using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Node.Control;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>Makes the answers about apps of the cluster on all nodes.</summary>
/// <param name="board">The words of the nodes.</param>
/// <param name="facts">The facts of the apps.</param>
internal sealed class ClusterAppPages(StatusBoard board, FactsOfApps facts)
{
    /// <summary>The answer about one app.</summary>
    /// <param name="record">Its record.</param>
    /// <param name="view">The nodes.</param>
    public ClusterAppAnswer Of(AppRecord record, MemberView view)
    {
        HashSet<string> meant = [.. MeantBy(record, view)];
        if (record.Previous is { } previous && record.Rollout is { Stage: RolloutStage.Rolling or RolloutStage.Stopped })
        {
            meant.UnionWith(MeantBy(record.With(previous), view));
        }

        ClusterAppNode[] nodes =
        [
            .. view.Nodes.Where(node => meant.Contains(node.Record.Uuid) || node.Record.Ready.Contains(record.App))
                .Select(node => Of(record, node)),
        ];
        return new ClusterAppAnswer(record.App, record.Version, record.Generation, record.IsPaused, nodes)
        {
            Rollout = record.Rollout is { } plan
                ? new RolloutAnswer(plan.From, plan.To, Word(plan.Stage), record.Previous is not null, plan.Reason) : null,
        };
    }

    private IEnumerable<string> MeantBy(AppRecord record, MemberView view) =>
        Placement.NodesOf(record.App, facts.Of(record).Placement, view.Nodes.Select(node => node.Member)).Select(member => member.Uuid);

    private ClusterAppNode Of(AppRecord record, SeenMember node)
    {
        string uuid = node.Record.Uuid;
        AppStatus? word = board.Find(uuid, record.App);
        string state = node.Member.DownForMs is not null ? "down" : word is null ? "unknown" : Word(word.State);
        bool isCurrent = state == "ready" && word!.Made == record.For(uuid).Made && word.Generation == record.Generation;
        string? rollout = record.Rollout is not { Stage: RolloutStage.Rolling or RolloutStage.Stopped } plan ? null
            : plan.Done.Contains(uuid) ? "proven" : plan.Go.Contains(uuid) ? "proves" : "waits";
        return new ClusterAppNode(node.Record.Name, state, isCurrent, word?.Version, word?.Generation, rollout, word?.Reason)
        {
            Done = word?.Done,
            Failed = word?.Failed,
        };
    }

    private static string Word(AppState state) => state == AppState.NoCode ? "no-code" : state.ToString().ToLowerInvariant();

    private static string Word(RolloutStage stage) =>
        stage == RolloutStage.RolledBack ? "rolled-back" : stage.ToString().ToLowerInvariant();
}
