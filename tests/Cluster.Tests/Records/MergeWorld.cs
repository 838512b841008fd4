using Cocaine.Fast.Cluster.Records;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Records;

/// <summary>A fault built into the world around the records.</summary>
internal enum MergeFault
{
    None,

    /// <summary>The engine's record is taken whatever its age is.</summary>
    BelievesEngine,

    /// <summary>An app that the engine does not have is taken for a deleted one.</summary>
    TakesAbsentForDeleted,

    /// <summary>Of two records with one age, the disk keeps its own.</summary>
    IgnoresConflict,

    /// <summary>A write without an answer is made again without a look, by another name.</summary>
    WritesBlindly,

    /// <summary>A refused write is taken for a written one.</summary>
    TellsNobody,
}

/// <summary>One app, three nodes with disks, an engine that forgets, and people who change the app at any node at the same time.</summary>
internal sealed class MergeWorld(ulong seed, MergeFault fault)
{
    private static readonly TimeSpan Fresh = TimeSpan.Zero, TooLong = RecordLimits.LongestAbsence + TimeSpan.FromHours(1);

    private readonly SimRandom _random = new(seed);
    private readonly SimEngine<AppRecord> _engine = new();
    private readonly MergeNode[] _nodes = [new("a"), new("b"), new("c")];
    private readonly HashSet<string> _told = [];
    private readonly Dictionary<string, (long Generation, int Life)> _writtenIn = [];
    private static readonly string[] Names =
    [
        "Take", "PutBack", "TakeAndKeepConflict", "TakeAndKeepOld", "KeepHere", "succeeded", "told", "own write found",
        "deleted", "forgotten", "uncertain", "moved", "taken back",
    ];

    private readonly Dictionary<string, int> _seen = Names.ToDictionary(name => name, _ => 0);

    private readonly List<string> _trace = [];
    private int _changes;

    public IReadOnlyDictionary<string, int> Run()
    {
        for (int step = 0; step < 45; step++)
        {
            MergeNode node = _random.Of(_nodes);
            switch (_random.Below(20))
            {
                case < 5:
                    node.Write ??= NewWrite(node);
                    break;
                case < 13:
                    Move(node);
                    break;
                case < 17:
                    Merge(node);
                    break;
                case < 19:
                    _engine.Forget(_random);
                    _seen["forgotten"]++;
                    Trace($"forgot to {_engine.Record}");
                    break;
                default:
                    node.IsAway = !node.IsAway;
                    node.WasAwayTooLong = node.IsAway && _random.Chance(40);
                    break;
            }
        }

        Settle();
        return _seen;
    }

    private void Trace(string step)
    {
        if (Schedules.IsTraced)
        {
            _trace.Add(step);
        }
    }

    private RecordWrite NewWrite(MergeNode node)
    {
        string id = $"change {++_changes}";
        RecordChange change = _random.Below(8) switch
        {
            < 3 => new RecordChange.Create("app", 1, "manifest", null),
            3 => new RecordChange.Replace(_changes, "manifest", null, IsForced: true),
            4 => new RecordChange.Pause(true),
            5 when node.Disk is { Rollout: { Stage: RolloutStage.Rolling } plan } rolling => new RolloutChange.Move(rolling.Change, Next(plan)),
            6 => new RolloutChange.Stop("asked"),
            7 => _random.Chance(50) ? new RolloutChange.GoOn() : new RolloutChange.GoBack("asked"),
            _ => new RecordChange.Delete(),
        };
        node.WriteId = id;
        return new RecordWrite(change, id, node.Name, 0);
    }

    /// <summary>The next plan of a coordinator, of which there may be several.</summary>
    private RolloutPlan Next(RolloutPlan plan) => _random.Below(3) switch
    {
        0 => plan with { Go = [.. plan.Go, $"node {plan.Go.Count}"], Done = plan.Go },
        1 => plan with { Stage = RolloutStage.Done },
        _ => plan with { Stage = RolloutStage.RolledBack },
    };

    /// <summary>A rollout can always go back, to a manifest that was set before.</summary>
    private void CheckRollout(AppRecord record)
    {
        bool needsPrevious = record.Rollout is { Stage: RolloutStage.Rolling or RolloutStage.Stopped };
        BrokenPromise.Unless(!needsPrevious || record.Previous is not null, $"{record.Change} cannot go back");
        BrokenPromise.Unless(record.Previous is null || record.Previous.Made < record.Made, $"{record.Change} has a later manifest before it");
        BrokenPromise.Unless(record.Made <= record.Generation, $"{record.Change} has a manifest of the future");
        _seen["moved"] += record.Step > 0 ? 1 : 0;
        _seen["taken back"] += record.Rollout is { Stage: RolloutStage.RolledBack } ? 1 : 0;
    }

    /// <summary>One step of a writer: a read, a write that may lose its answer, the end.</summary>
    private void Move(MergeNode node)
    {
        if (node.Write is not { } write || node.IsAway)
        {
            return;
        }

        switch (write.Stage)
        {
            case WriteStage.Read:
                bool wasThere = write.Proposed is not null;
                write.OnRead(_engine.Record, node.Disk);
                Trace($"{node.Name} {node.WriteId} {write.Stage} {write.Reason} after {_engine.Record}, disk {node.Disk}");
                (node.Revision, node.Life) = (_engine.Revision, _engine.Life);
                _seen["own write found"] += wasThere && write.Stage == WriteStage.Succeeded ? 1 : 0;
                break;
            case WriteStage.Write when node.Life != _engine.Life:
                write.OnOvertaken(); // revisions mean nothing in another session
                break;
            case WriteStage.Write:
                bool isWritten = _engine.Write(write.Proposed!, node.Revision);
                Note(isWritten, write.Proposed!);
                Trace($"{node.Name} wrote {isWritten} {write.Proposed}");
                Answer(node, write, isWritten);
                break;
        }

        if (write.Stage is WriteStage.Succeeded or WriteStage.Refused)
        {
            bool isTold = write.Stage == WriteStage.Refused;
            _seen[isTold ? "told" : "succeeded"]++;
            BrokenPromise.Unless(isTold || _writtenIn.ContainsKey(node.WriteId), $"{node.WriteId} is said to be made, and is nowhere");
            _seen["uncertain"] += write.IsUncertain ? 1 : 0;
            if (isTold && !write.MayRetry && !write.IsUncertain)
            {
                _told.Add(node.WriteId);
                BrokenPromise.Unless(!IsMadeInThisLife(node.WriteId), $"{node.WriteId} is refused, and was made\n{string.Join('\n', _trace)}");
            }

            node.Write = null;
        }
    }

    private bool IsMadeInThisLife(string change) => _writtenIn.TryGetValue(change, out (long Generation, int Life) made) && made.Life == _engine.Life;

    private void Answer(MergeNode node, RecordWrite write, bool isWritten)
    {
        if (_random.Chance(25))
        {
            write.OnNoAnswer();
            if (fault == MergeFault.WritesBlindly && isWritten)
            {
                AppRecord again = write.Proposed! with { Generation = write.Proposed!.Generation + 1 };
                Note(_engine.Write(again, _engine.Revision), again);
            }
        }
        else if (isWritten || fault == MergeFault.TellsNobody)
        {
            write.OnWritten();
        }
        else
        {
            write.OnOvertaken();
        }
    }

    private void Note(bool isWritten, AppRecord record)
    {
        if (!isWritten)
        {
            return;
        }

        CheckRollout(record);
        BrokenPromise.Unless(!_told.Contains(record.Change), $"{record.Change} was refused, and is written");
        bool isFirst = _writtenIn.TryAdd(record.Change, (record.Generation, _engine.Life)) || _writtenIn[record.Change].Life != _engine.Life;
        _seen["deleted"] += record.IsDeleted ? 1 : 0;
        BrokenPromise.Unless(isFirst || _writtenIn[record.Change].Generation == record.Generation, $"{record.Change} is made twice");
    }

    private void Merge(MergeNode node)
    {
        if (node.IsAway)
        {
            return;
        }

        AppRecord? before = node.Disk, inEngine = _engine.Record;
        MergeStep step = Decide(inEngine, before, node.WasAwayTooLong ? TooLong : Fresh);
        Trace($"{node.Name} merges {step}");
        _seen[step.ToString()] = _seen.GetValueOrDefault(step.ToString()) + 1;
        switch (step)
        {
            case MergeStep.Take or MergeStep.TakeAndKeepConflict or MergeStep.TakeAndKeepOld:
                node.Disk = inEngine;
                break;
            case MergeStep.PutBack:
                _engine.Write(before!, _engine.Revision);
                break;
        }

        bool wasAwayTooLong = node.WasAwayTooLong;
        node.WasAwayTooLong = false;
        node.IsAlone = step == MergeStep.KeepHere || (node.IsAlone && step == MergeStep.Nothing);
        bool isEnded = before is { IsDeleted: false } && node.Disk is null or { IsDeleted: true };
        BrokenPromise.Unless(!isEnded || inEngine is { IsDeleted: true }, $"the app ended at {node.Name}, and nobody deleted it");
        bool isBack = before is not null && (node.Disk is null || node.Disk.CompareAge(before) < 0);
        BrokenPromise.Unless(!isBack || wasAwayTooLong, $"{node.Name} went back from {before?.Generation} to {node.Disk?.Generation}");
        bool isResurrected = wasAwayTooLong && step == MergeStep.PutBack;
        BrokenPromise.Unless(!isResurrected, $"{node.Name} was away for too long, and puts its record back");
    }

    private MergeStep Decide(AppRecord? inEngine, AppRecord? onDisk, TimeSpan sinceSync)
    {
        MergeStep step = RecordMerge.Decide(inEngine, onDisk, Fresh, sinceSync);
        return fault switch
        {
            MergeFault.BelievesEngine when step == MergeStep.PutBack && inEngine is not null => MergeStep.Take,
            MergeFault.TakesAbsentForDeleted when inEngine is null && onDisk is not null => MergeStep.Take,
            MergeFault.IgnoresConflict when step == MergeStep.TakeAndKeepConflict => MergeStep.Nothing,
            _ => step,
        };
    }

    /// <summary>All are back and nobody changes anything: after two rounds all copies are one.</summary>
    private void Settle()
    {
        for (int round = 0; round < 3; round++)
        {
            foreach (MergeNode node in _nodes)
            {
                node.IsAway = false;
                Merge(node);
            }
        }

        string?[] copies = [.. _nodes.Where(node => !node.IsAlone).Select(node => node.Disk?.Change).Append(_engine.Record?.Change).Distinct()];
        BrokenPromise.Unless(copies.Length == 1, $"{copies.Length} copies differ after a calm time");
    }

    private sealed class MergeNode(string name)
    {
        public string Name => name;

        public AppRecord? Disk { get; set; }

        public RecordWrite? Write { get; set; }

        public string WriteId { get; set; } = "";

        public ulong Revision { get; set; }

        public int Life { get; set; }

        public bool IsAway { get; set; }

        public bool WasAwayTooLong { get; set; }

        /// <summary>The app is this node's own from now on, as the engine knows nothing of it.</summary>
        public bool IsAlone { get; set; }
    }
}
