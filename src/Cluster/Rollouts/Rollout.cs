using System.Globalization;
using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Placing;
using Cocaine.Fast.Cluster.Records;

namespace Cocaine.Fast.Cluster.Rollouts;

/// <summary>
/// Moves another version of one app from node to node, without any I/O. Only the coordinator runs this. A coordinator that takes over
/// begins with the plan of the record, and measures its times anew: a rollout then takes longer, and proves no less.
/// </summary>
/// <param name="app">The name of the app.</param>
/// <param name="rule">The app's rule.</param>
internal sealed class Rollout(string app, RolloutRule rule)
{
    /// <summary>Fewer jobs are not judged by their share of errors: one bad job of ten says nothing about a version.</summary>
    public const int FewestJobsToJudge = 20;

    /// <summary>
    /// A version may have this many times the errors of the version before on the same node: callers err too, and not evenly.
    /// </summary>
    public const double WorseBy = 2;

    private readonly Dictionary<string, Watched> _watched = [];

    /// <summary>The next plan, or null when there is nothing to move.</summary>
    /// <param name="plan">The plan of the app's record.</param>
    /// <param name="meant">The nodes that the app means.</param>
    /// <param name="statusOf">The last word of a node about the app, by its uuid; null without one.</param>
    /// <param name="nowMs">The time of the coordinator's own clock, ms; never another node's.</param>
    public RolloutPlan? Next(RolloutPlan plan, IReadOnlyList<Member> meant, Func<string, AppStatus?> statusOf, long nowMs)
    {
        if (plan.Stage != RolloutStage.Rolling)
        {
            return null;
        }

        Member[] up = [.. meant.Where(member => member.DownForMs is null && statusOf(member.Uuid)?.State != AppState.Taken)];
        HashSet<string> unproven = [.. plan.Go.Except(plan.Done)];
        Member[] judged = [.. up.Where(member => unproven.Contains(member.Uuid))];
        foreach (string node in _watched.Keys.Except(judged.Select(member => member.Uuid)).ToArray())
        {
            _watched.Remove(node); // a node that comes back proves itself from the start
        }

        IEnumerable<string?> faults =
        [
            .. judged.Select(member => FaultOf(plan, member, statusOf(member.Uuid), nowMs)),
            .. up.Where(member => plan.Done.Contains(member.Uuid)).Select(member => FailureOf(plan, member, statusOf(member.Uuid))),
        ];
        if (faults.FirstOrDefault(fault => fault is not null) is { } reason)
        {
            return plan with { Stage = rule.RollsBack ? RolloutStage.RolledBack : RolloutStage.Stopped, Reason = reason };
        }

        string[] good = [.. judged.Select(member => member.Uuid).Where(node => IsGood(node, nowMs))];
        if (good.Length < judged.Length || (judged.Length == 0 && unproven.Count > 0 && up.Length == 0))
        {
            return good.Length > 0 ? plan with { Done = [.. plan.Done, .. good] } : null;
        }

        return GoOn(plan with { Done = [.. plan.Done, .. good] }, plan, up, statusOf);
    }

    /// <summary>All that were judged are proven: nodes that went down on the way leave the batch, and the next nodes come.</summary>
    private RolloutPlan? GoOn(RolloutPlan proven, RolloutPlan plan, Member[] up, Func<string, AppStatus?> statusOf)
    {
        Member[] left = [.. up.Where(member => !proven.Done.Contains(member.Uuid))];
        if (left.Length == 0)
        {
            bool isOver = proven.Done.Count > 0;
            return isOver ? proven with { Go = proven.Done, Stage = RolloutStage.Done } : null;
        }

        string[] next = [.. left.OrderBy(member => Rank(member, statusOf(member.Uuid)))
            .ThenByDescending(member => Placement.HashOf(app, member.Uuid)).Take(rule.BatchOf(up.Length)).Select(member => member.Uuid)];
        RolloutPlan moved = proven with { Go = [.. proven.Done, .. next] };
        return moved.Go.SequenceEqual(plan.Go) && moved.Done.SequenceEqual(plan.Done) ? null : moved;
    }

    /// <summary>The worst nodes come first: a version that breaks them costs the least.</summary>
    private static int Rank(Member member, AppStatus? status) => member.IsDraining ? 0 : status?.State == AppState.Ready ? 2 : 1;

    /// <summary>The fault of a node that is to prove the version, in words; null without one.</summary>
    private string? FaultOf(RolloutPlan plan, Member member, AppStatus? status, long nowMs)
    {
        if (!_watched.TryGetValue(member.Uuid, out Watched? watched))
        {
            _watched[member.Uuid] = watched = new Watched(nowMs);
        }

        bool isReady = status is { State: AppState.Ready } && status.Version == plan.To;
        watched.ReadySinceMs = isReady ? watched.ReadySinceMs ?? nowMs : null;
        long sinceMs = nowMs - watched.SinceMs;
        bool isLate = (!IsGood(member.Uuid, nowMs) && sinceMs > rule.StartupTimeoutMs + (2 * rule.SettleMs))
            || (!isReady && sinceMs > rule.StartupTimeoutMs + rule.SettleMs);
        return FailureOf(plan, member, status) ?? (!isLate ? null
            : $"node {member.Name} was not ready with version {plan.To} within startup-timeout and settle"
                + (status?.Reason is { } reason ? $": {reason}" : ""));
    }

    private string? FailureOf(RolloutPlan plan, Member member, AppStatus? status)
    {
        if (status is null || status.Version != plan.To)
        {
            return null; // the node has not begun, or tells of the version before
        }

        long jobs = status.Done + status.Failed;
        double most = Math.Max(rule.MaxErrorsPercent, WorseBy * status.FailedBeforePercent);
        return status.State == AppState.Failed ? $"version {plan.To} failed on node {member.Name}: {status.Reason ?? "it is broken"}"
            : jobs < FewestJobsToJudge || 100.0 * status.Failed / jobs <= most ? null
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{status.Failed} of {jobs} jobs of version {plan.To} on node {member.Name} ended in 500, 502 or 504, and {most:0.##} % "
                + $"may");
    }

    private bool IsGood(string node, long nowMs) => nowMs - _watched[node].ReadySinceMs >= rule.SettleMs;

    /// <summary>The coordinator's own times of a node that is to prove the version.</summary>
    /// <param name="sinceMs">When the coordinator first saw it in the batch.</param>
    private sealed class Watched(long sinceMs)
    {
        public long SinceMs => sinceMs;

        public long? ReadySinceMs { get; set; }
    }
}
