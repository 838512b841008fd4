using Cocaine.Fast.Cluster.Leases;
using Cocaine.Fast.Cluster.Tests.Simulation;

namespace Cocaine.Fast.Cluster.Tests.Leases;

/// <summary>A fault built into the world around the leases.</summary>
internal enum LeaseFault
{
    None,

    /// <summary>A holder counts its time from an answer that took 5 s.</summary>
    CountsFromAnswer,

    /// <summary>A candidate waits for 3 s.</summary>
    TakesTooEarly,

    /// <summary>The engine writes whatever the revision is.</summary>
    IgnoresRevision,

    /// <summary>A refused write is taken for a written one.</summary>
    TrustsRefusal,

    /// <summary>A record has older claimed times than those that were written.</summary>
    ForgetsFired,

    /// <summary>An engine that came back is taken for one that lived on.</summary>
    TrustsEngine,
}

/// <summary>Three nodes, clocks that differ and drift, an engine that answers late or never, and a cron task each two seconds.</summary>
internal sealed class LeaseWorld(ulong seed, LeaseFault fault)
{
    private const int Steps = 60;
    private const long TickMs = 2000;
    private readonly SimRandom _random = new(seed);
    private readonly SimEngine<LeaseRecord> _engine = new();
    private readonly Dictionary<long, LeaseNode> _ranBy = [];
    private static readonly string[] Names =
    [
        "elected", "run", "made up", "unanswered claims run", "late writes applied", "put back", "released", "forgotten",
        "never twice", "taken from a holder that stood still", "renewed past its time",
    ];

    private readonly Dictionary<string, int> _seen = Names.ToDictionary(name => name, _ => 0);

    private readonly List<string> _trace = [];
    private LeaseNode[] _nodes = [];
    private long _nowMs = 1_000_000;
    private long _forgottenAtMs = long.MinValue / 2;

    /// <summary>Whether the engine forgot a claim that its holder could not tell again: the one case in which a tick may run twice.</summary>
    private bool _mayRunTwice;

    private bool _forgets;

    public IReadOnlyDictionary<string, int> Run()
    {
        _forgets = seed % 2 == 0; // every other engine forgets
        _nodes = [.. Enumerable.Range(0, 3).Select(i => new LeaseNode($"n{i}", _random.Between(0, 100_000), 0.91 + (0.01 * _random.Below(19))))];
        for (int step = 0; step < Steps; step++)
        {
            _nowMs += _random.Chance(85) ? _random.Between(1, 900) : _random.Between(900, 6000);
            Disturb();
            StepAll();
        }

        Calm();
        _seen["never twice"] += _mayRunTwice ? 0 : 1;
        return _seen;
    }

    /// <summary>All live and are attached: after at most a patience and some renewals one holds the lease.</summary>
    private void Calm()
    {
        foreach (LeaseNode node in _nodes)
        {
            node.PausedUntilMs = 0;
            node.IsCut = false;
        }

        for (int i = 0; i < 40; i++)
        {
            _nowMs += 400;
            StepAll(isCalm: true);
        }

        BrokenPromise.Unless(_nodes.Count(IsHeld) == 1, $"{_nodes.Count(IsHeld)} nodes hold the lease after a calm time");
    }

    private void Trace(string step)
    {
        if (Schedules.IsTraced)
        {
            _trace.Add($"{_nowMs} {step}; held {string.Join(' ', _nodes.Select(node => IsHeld(node) ? 1 : 0))}");
        }
    }

    private bool IsHeld(LeaseNode node) => node.Lease.IsHeld(node.ClockMs(_nowMs));

    private void Disturb()
    {
        LeaseNode node = _random.Of(_nodes);
        int dice = _random.Below(100);
        Trace($"{Array.IndexOf(_nodes, node)}: {dice}");
        if (dice < 4)
        {
            Forgive(node);
            node.Restart();
        }
        else if (dice < 8)
        {
            Forgive(node);
            node.PausedUntilMs = _nowMs + _random.Between(500, 20_000);
        }
        else if (dice < 12)
        {
            Forgive(node);
            node.IsCut = !node.IsCut;
        }
        else if (dice < 14)
        {
            node.Lease.Release();
            _seen["released"]++;
        }
        else if (dice < 16 && _forgets)
        {
            _engine.Forget(_random);
            _seen["forgotten"]++;
            _mayRunTwice |= !_nodes.Any(one => IsHeld(one) && one.IsCurrent(_nowMs));
            _forgottenAtMs = _nowMs;
        }
    }

    /// <summary>A node that goes away soon after the engine forgot may take the only memory of a claim along.</summary>
    private void Forgive(LeaseNode node) => _mayRunTwice |= _nowMs - _forgottenAtMs < 20_000 && node.Lease.Term > 0;

    private void StepAll(bool isCalm = false)
    {
        foreach (LeaseNode node in _nodes)
        {
            MoveWrites(node, isCalm);
            if (_nowMs >= node.PausedUntilMs)
            {
                Session(node);
                Act(node, isCalm);
            }
        }

        int holders = _nodes.Count(IsHeld);
        BrokenPromise.Unless(holders <= 1, $"{holders} nodes hold the lease at {_nowMs}\n{string.Join('\n', _trace)}");
    }

    /// <summary>A session begins with a read, and ends with the connection.</summary>
    private void Session(LeaseNode node)
    {
        if (node.HasSession && (node.IsCut || node.Life != _engine.Life))
        {
            node.EndSession();
        }

        if (!node.HasSession && !node.IsCut)
        {
            node.HasSession = true;
            Trace($"{Array.IndexOf(_nodes, node)} attached to {_engine.Record} at {_engine.Revision}");
            node.Life = _engine.Life;
            node.Lease.OnAttached(fault == LeaseFault.TrustsEngine ? "the only one" : $"{_engine.Life}");
            long claimed = node.Lease.Term;
            bool wasHeld = IsHeld(node);
            Ran(node, node.Lease.OnSeen(_engine.Record, _engine.Revision, node.ClockMs(_nowMs)), "unanswered claims run");
            bool isForgotten = _engine.Life > 0 && (_engine.Record is null || _engine.Record.Term < claimed);
            _mayRunTwice |= isForgotten && !wasHeld;
        }
        else if (node.HasSession && _random.Chance(50))
        {
            Ran(node, node.Lease.OnSeen(_engine.Record, _engine.Revision, node.ClockMs(_nowMs)), "unanswered claims run");
        }
    }

    /// <summary>Writes on their way are applied, answered or lost; those of a dead connection are still applied while the engine lives.</summary>
    private void MoveWrites(LeaseNode node, bool isCalm)
    {
        foreach (SimWrite write in node.Writes.ToArray())
        {
            if (write.Life != _engine.Life || (!isCalm && _random.Chance(5)))
            {
                node.Writes.Remove(write);
                continue;
            }

            if (!isCalm && _random.Chance(25))
            {
                continue; // later
            }

            LeaseRecord record = write.Write.Record;
            record = fault == LeaseFault.ForgetsFired ? record with { Fired = record.Fired.ToDictionary(one => one.Key, one => one.Value - 9000) } : record;
            bool isWritten = _engine.Write(record, write.Write.Revision);
            if (!isWritten && fault == LeaseFault.IgnoresRevision)
            {
                _engine.Put(write.Write.Record);
                isWritten = true;
            }

            node.Writes.Remove(write);
            Trace($"{Array.IndexOf(_nodes, node)} wrote {isWritten} {write.Write.Record} at {write.Write.Revision}");
            bool isAnswered = node.HasSession && write.Session == node.Session && (isCalm || _random.Chance(85)) && _nowMs >= node.PausedUntilMs;
            _seen["late writes applied"] += isWritten && !isAnswered ? 1 : 0;
            if (isWritten && write.Write.Record.Renewal == 0)
            {
                _seen["elected"]++;
                _seen["taken from a holder that stood still"] += _nodes.Any(one => one != node && _nowMs < one.PausedUntilMs) ? 1 : 0;
            }

            if (isAnswered)
            {
                Answer(node, write.Write, isWritten);
                ForgetElection(isWritten && write.Write.Record.Renewal == 0);
            }
        }
    }

    /// <summary>
    /// For the fault that needs it: the engine comes back as it was before an election, and the holder before, who was away, is back too.
    /// </summary>
    private void ForgetElection(bool isElection)
    {
        if (fault == LeaseFault.TrustsEngine && isElection && _random.Chance(50))
        {
            _engine.ForgetLast();
            foreach (LeaseNode node in _nodes)
            {
                (node.IsCut, node.PausedUntilMs) = (false, 0);
            }
        }
    }

    private void Answer(LeaseNode node, LeaseWrite write, bool isWritten)
    {
        long clock = node.ClockMs(_nowMs);
        if (isWritten || fault == LeaseFault.TrustsRefusal)
        {
            Ran(node, node.Lease.OnWritten(write, isWritten ? _engine.Revision : write.Revision + 1, clock), "run");
        }
        else
        {
            Ran(node, node.Lease.OnSeen(_engine.Record, _engine.Revision, clock), "unanswered claims run");
        }
    }

    private void Act(LeaseNode node, bool isCalm)
    {
        if (!node.HasSession)
        {
            return;
        }

        long clock = node.ClockMs(_nowMs);
        bool isEarly = fault == LeaseFault.TakesTooEarly && !IsHeld(node);
        bool isGenerous = fault == LeaseFault.CountsFromAnswer && IsHeld(node);
        LeaseWrite? write = ClaimNext(node, clock)
            ?? node.Lease.Next(isCandidate: isCalm || _random.Chance(90), isEarly || isGenerous ? clock + 5000 : clock);
        if (write is not null)
        {
            _seen["put back"] += _engine.Life > 0 && IsHeld(node) && (_engine.Record is null || _engine.Record.CompareAge(write.Record) < -1) ? 1 : 0;
            _seen["put back"] += _engine.Record is null && write.Record.Renewal > 0 ? 1 : 0;
            _seen["renewed past its time"] += !IsHeld(node) && write.Record is { Renewal: > 0, IsReleased: false } ? 1 : 0;
            Trace($"{Array.IndexOf(_nodes, node)} sends {write.Record}");
            node.Writes.Add(new SimWrite(write, node.Session, _engine.Life));
        }
    }

    /// <summary>The task is scheduled each two seconds of the calendar; the clocks of the calendar differ by some hundreds of ms.</summary>
    private LeaseWrite? ClaimNext(LeaseNode node, long clock)
    {
        long wall = _nowMs + node.SkewMs;
        long earliest = MadeUpTicks.After(node.Lease.FiredOf("tick"), wall - TickMs, wall);
        long tick = ((earliest / TickMs) + 1) * TickMs;
        return tick <= wall ? node.Lease.Claim("tick", tick, clock) : null;
    }

    private void Ran(LeaseNode node, (string Task, long TimeMs)? claim, string way)
    {
        if (claim is not { } ran)
        {
            return;
        }

        _seen[way]++;
        _seen["made up"] += _nowMs - ran.TimeMs > 2 * TickMs ? 1 : 0;
        bool isFirst = _ranBy.TryAdd(ran.TimeMs, node);
        BrokenPromise.Unless(isFirst || _mayRunTwice, $"the tick of {ran.TimeMs} runs twice\n{string.Join('\n', _trace)}");
    }
}
