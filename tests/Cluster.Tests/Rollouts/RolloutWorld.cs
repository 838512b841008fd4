using Cocaine.Fast.Cluster.Members;
using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Rollouts;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Rollouts;

/// <summary>A fault built into the world around a rollout.</summary>
internal enum RolloutFault
{
    None,

    /// <summary>A batch is chosen as if the nodes before had proven themselves.</summary>
    CountsUnproven,

    /// <summary>Nodes say that they are ready when they are not.</summary>
    HidesFailure,

    /// <summary>A rollout that failed goes on.</summary>
    GoesOn,

    /// <summary>The coordinator's clock jumps: nodes seem to have settled.</summary>
    SkipsSettling,
}

/// <summary>Some nodes that start, fail, go down and come back, and coordinators that come and go.</summary>
internal sealed class RolloutWorld(ulong seed, RolloutFault fault)
{
    private readonly SimRandom _random = new(seed);
    private static readonly string[] Names =
    [
        "Done", "RolledBack", "Stopped", "node skipped", "coordinator changed", "several at once",
    ];

    private readonly Dictionary<string, int> _seen = Names.ToDictionary(name => name, _ => 0);

    private RolloutRule _rule = new();
    private Rollout _rollout = null!;
    private SimNode[] _nodes = [];
    private bool _isBroken;
    private long _nowMs;

    public IReadOnlyDictionary<string, int> Run()
    {
        _isBroken = _random.Chance(40);
        _rule = new RolloutRule { Batch = _random.Between(1, 3), RollsBack = _random.Chance(70) };
        _nodes = [.. Enumerable.Range(0, _random.Between(1, 6)).Select(i => new SimNode($"n{i}"))];
        _rollout = new Rollout("app", _rule);
        RolloutPlan plan = new(1, 2, [], []);
        for (int step = 0; step < 400 && plan.Stage == RolloutStage.Rolling; step++)
        {
            _nowMs += _random.Between(200, 3000);
            bool isCalm = step > 60;
            foreach (SimNode node in _nodes)
            {
                Move(node, plan, isCalm);
            }

            if (!isCalm && _random.Chance(4))
            {
                _rollout = new Rollout("app", _rule);
                _seen["coordinator changed"]++;
            }

            long clock = fault == RolloutFault.SkipsSettling ? _nowMs * 20 : _nowMs;
            RolloutPlan? next = Sabotaged(plan, _rollout.Next(plan, Members(), uuid => _nodes.First(node => node.Uuid == uuid).Status, clock));
            if (next is not null)
            {
                Check(plan, next);
                plan = next;
            }
        }

        AtEnd(plan);
        return _seen;
    }

    private Member[] Members() => [.. _nodes.Select(node => new Member(node.Uuid, node.Uuid) { DownForMs = node.IsDown ? 1 : null })];

    private RolloutPlan? Sabotaged(RolloutPlan plan, RolloutPlan? next) => fault switch
    {
        RolloutFault.GoesOn when next?.Stage is RolloutStage.RolledBack or RolloutStage.Stopped => null,
        RolloutFault.CountsUnproven when plan.Go.Count > plan.Done.Count && plan.Go.Count < _nodes.Length =>
            plan with { Go = [.. plan.Go, .. _nodes.Select(node => node.Uuid).Except(plan.Go).Take(_rule.Batch)] },
        _ => next,
    };

    private void Move(SimNode node, RolloutPlan plan, bool isCalm)
    {
        node.IsDown = !isCalm && (node.IsDown ? _random.Chance(80) : _random.Chance(3));
        if (node.IsDown)
        {
            node.IsStarting = true;
            node.Tries = 0;
            node.ReadySinceMs = null;
            return;
        }

        int version = plan.VersionFor(node.Uuid);
        if (version != node.Version || node.IsStarting)
        {
            node.Tries = version != node.Version ? 0 : node.Tries + 1;
            node.IsStarting = node.Tries == 0 || (node.Tries < 3 && _random.Chance(50));
            node.Version = version;
            node.ReadySinceMs = node.IsStarting ? null : _nowMs;
        }

        bool isGood = version == 1 || !_isBroken || fault == RolloutFault.HidesFailure;
        node.Status = new AppStatus(version, node.IsStarting ? AppState.Starting : isGood ? AppState.Ready : AppState.Failed);
    }

    private void Check(RolloutPlan plan, RolloutPlan next)
    {
        if (next.Stage != RolloutStage.Rolling)
        {
            return;
        }

        int unproven = next.Go.Except(next.Done).Count();
        BrokenPromise.Unless(unproven <= _rule.Batch, $"{unproven} nodes are unproven, and {_rule.Batch} may be");
        _seen["several at once"] += unproven > 1 ? 1 : 0;
        _seen["node skipped"] += plan.Go.Except(next.Go).Any() ? 1 : 0;
        foreach (string proven in next.Done.Except(plan.Done))
        {
            SimNode node = _nodes.First(one => one.Uuid == proven);
            BrokenPromise.Unless(_nowMs - node.ReadySinceMs >= _rule.SettleMs, $"{proven} counts as proven before its time");
        }
    }

    private void AtEnd(RolloutPlan plan)
    {
        BrokenPromise.Unless(plan.Stage != RolloutStage.Rolling, "the rollout stands still");
        _seen[plan.Stage.ToString()]++;
        BrokenPromise.Unless(!_isBroken || plan.Stage != RolloutStage.Done, "a broken version is on all nodes");
        BrokenPromise.Unless(_isBroken || plan.Stage == RolloutStage.Done, "a good version did not come to the nodes");
        BrokenPromise.Unless(plan.Stage == RolloutStage.Done || (plan.Stage == RolloutStage.RolledBack) == _rule.RollsBack, "the rule was not heard");
    }

    private sealed class SimNode(string uuid)
    {
        public string Uuid => uuid;

        public bool IsDown { get; set; }

        public bool IsStarting { get; set; }

        public int Tries { get; set; }

        public int Version { get; set; } = 1;

        public long? ReadySinceMs { get; set; }

        public AppStatus Status { get; set; } = new(1, AppState.Ready);
    }
}
