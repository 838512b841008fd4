using Cocaine.Fast.Cluster.Engine;
using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>
/// Moves other versions of apps over the nodes while this node has the lease of the coordinator. Each move is one write that holds for the
/// record that it was decided about, so two coordinators that overlap for a moment do no harm. Without the engine nothing moves.
/// </summary>
/// <param name="store">The records.</param>
/// <param name="board">The words of the nodes.</param>
/// <param name="facts">The facts of the apps.</param>
/// <param name="lease">The lease of the coordinator.</param>
/// <param name="log">The node's log.</param>
internal sealed class ClusterRollouts(RecordStore store, StatusBoard board, FactsOfApps facts, Func<LeaseKeeper> lease, ILogger log)
{
    /// <summary>How often the coordinator looks: a fraction of the half second in which nodes tell their words.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(250);

    /// <summary>How long a session listens before this node judges others: by then it has heard each node that lives.</summary>
    private const long ListenMs = 3000;

    private readonly Dictionary<string, (long Generation, Rollout Rollout)> _rollouts = []; // by app; those that roll, in this session

    /// <summary>Moves rollouts until the session ends.</summary>
    /// <param name="session">The session.</param>
    /// <param name="records">The records in the engine.</param>
    /// <param name="view">The nodes.</param>
    /// <param name="node">The name of this node.</param>
    /// <param name="changed">Called when a record has changed.</param>
    public async Task RunAsync(NatsSession session, RecordSync records, Func<MemberView> view, string node, Action changed)
    {
        _rollouts.Clear(); // times of another session: a node may have failed and come back since
        long beganMs = Environment.TickCount64;
        while (await Task.WhenAny(Task.Delay(Look, NodeClock.Instance), session.Ended) != session.Ended)
        {
            try
            {
                if (Environment.TickCount64 - beganMs < ListenMs || !lease().MayAct)
                {
                    _rollouts.Clear(); // times of another holder's turn
                }
                else if (Rolling() is { Length: > 0 } rolling && board.HearAsync().IsCompleted)
                {
                    await MoveAsync(rolling, records, view(), node, changed);
                }
            }
            catch (EngineException)
            {
                // The move may have been made: the record is looked at again. Two silences end the session, which is logged.
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                ClusterLog.Fault(log, fault);
            }
        }
    }

    private AppRecord[] Rolling()
    {
        AppRecord[] rolling = [.. store.All.Where(record => record is { IsDeleted: false, Rollout.Stage: RolloutStage.Rolling })];
        foreach (string over in _rollouts.Keys.Except(rolling.Select(record => record.App)).ToArray())
        {
            _rollouts.Remove(over);
        }

        return rolling;
    }

    private async Task MoveAsync(AppRecord[] rolling, RecordSync records, MemberView view, string node, Action changed)
    {
        foreach (AppRecord record in rolling)
        {
            AppFacts app = facts.Of(record);
            if (!_rollouts.TryGetValue(record.App, out (long Generation, Rollout Rollout) own) || own.Generation != record.Generation)
            {
                own = _rollouts[record.App] = (record.Generation, new Rollout(record.App, app.Rollout));
            }

            RolloutPlan plan = record.Rollout!;
            IReadOnlyList<Member> meant = Placement.NodesOf(record.App, app.Placement, view.Nodes.Select(one => one.Member));
            if (own.Rollout.Next(plan, meant, uuid => WordOf(record, uuid), Environment.TickCount64) is not { } next)
            {
                continue;
            }

            long nowMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
            RecordWrite write = await records.ChangeAsync(record.App, new RolloutChange.Move(record.Change, next), node, nowMs);
            if (write.Stage == WriteStage.Succeeded)
            {
                Note(record.App, next, view);
                changed();
            }
        }
    }

    /// <summary>
    /// The word of a node, by the rule of rollouts: only a node that follows this generation of the record, and runs or tried its present
    /// manifest, speaks of the new version. Numbers of versions say less, as a forced one may have the number of the one before.
    /// </summary>
    private AppStatus? WordOf(AppRecord record, string uuid)
    {
        AppStatus? word = board.Find(uuid, record.App);
        bool isOfNew = word?.Made == record.Made && word.Generation == record.Generation;
        return word is null ? null : word with { Version = isOfNew ? record.Rollout!.To : record.Rollout!.To - 1 };
    }

    private void Note(string app, RolloutPlan plan, MemberView view)
    {
        string NamesOf(IEnumerable<string> uuids) =>
            string.Join(", ", view.Nodes.Where(node => uuids.Contains(node.Record.Uuid)).Select(node => node.Record.Name));
        if (plan.Stage is RolloutStage.RolledBack or RolloutStage.Stopped)
        {
            string what = plan.Stage == RolloutStage.RolledBack ? "all nodes go back" : "it stops where it is";
            ClusterLog.RolloutFailed(log, app, plan.From, plan.To, what, plan.Reason ?? "");
        }
        else
        {
            ClusterLog.Moved(log, app, plan.From, plan.To, plan.Stage == RolloutStage.Done ? "all nodes have the version"
                : $"proven by {plan.Done.Count} nodes, now at {NamesOf(plan.Go.Except(plan.Done))}");
        }
    }
}
