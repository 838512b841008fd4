using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Finds out with how many slaves most jobs end: all of them, as many as cores, half of that, and so on down to one. Where jobs wait for
/// nothing but a core, further slaves only take turns with those that have one, with the node and with its callers, and each turn costs.
/// Where jobs wait for something else, each slave counts. No clock tells the two apart while slaves share cores; so the next smaller and
/// the next larger number are tried in turns, for a moment each, while jobs wait.
/// </summary>
internal sealed class CoreTrial(int cores)
{
    private int _level;            // 0 = all slaves; above it cores, cores / 2, … 1
    private int _found;            // the level that trials have shown to be best; _level is 0 while no jobs wait
    private int _total;            // slaves of the pool at the last look
    private bool _goesUp;          // the next trial is one with more slaves: fewer were worse, or more were better
    private long _sinceNs;         // begin of the present window
    private long _endedThen;       // jobs that had ended by then
    private bool _waited;          // jobs waited at one look of the window or more
    private long _nextNs;          // the time before which nothing is tried
    private long _pauseNs = EngineLimits.FirstTrialPauseNs;

    /// <summary>Whether this is a trial.</summary>
    public CoreTrialStage Stage { get; private set; }

    /// <summary>The slaves that get jobs at present; int.MaxValue for all.</summary>
    public int Slaves => SlavesAt(TriedLevel);

    /// <summary>The slaves that got jobs before the last trial. Valid in and after a trial.</summary>
    public int SlavesBefore { get; private set; } = int.MaxValue;

    /// <summary>Jobs that ended before the last trial, 1/ns. Valid in and after a trial.</summary>
    public double Rate { get; private set; }

    /// <summary>Jobs that ended in the last trial, 1/ns. Valid after it.</summary>
    public double TriedRate { get; private set; }

    /// <summary>Not all slaves get jobs.</summary>
    public bool IsFew => TriedLevel > 0;

    private bool IsTrial => Stage != CoreTrialStage.Steady;

    private int TriedLevel => Stage switch
    {
        CoreTrialStage.TryFewer => Fewer(_level),
        CoreTrialStage.TryMore => More(_level),
        _ => _level,
    };

    /// <summary>Looks at the jobs that have ended: in each turn in which one has, and at least each moment while one waits.</summary>
    /// <param name="nowNs">The turn.</param>
    /// <param name="ended">All jobs that have ended so far.</param>
    /// <param name="jobsWait">More jobs wait than there are cores.</param>
    /// <param name="busy">Slaves that have jobs.</param>
    /// <param name="total">Slaves of the pool.</param>
    public void Look(long nowNs, long ended, bool jobsWait, int busy, int total)
    {
        _total = total;
        _waited |= jobsWait;
        if (nowNs < _sinceNs)
        {
            _endedThen = ended; // jobs that were given away before the change say nothing of it
            return;
        }

        long lastsNs = nowNs - _sinceNs;
        double rate = (ended - _endedThen) / (double)Math.Max(1, lastsNs);
        if (IsTrial && lastsNs > EngineLimits.TrialNs / 4 && rate < Rate / 2)
        {
            Decide(rate, nowNs, ended);
        }
        else if (lastsNs >= EngineLimits.TrialNs)
        {
            OnWindow(rate, nowNs, ended, busy);
        }
    }

    private void OnWindow(double rate, long nowNs, long ended, int busy)
    {
        if (!_waited)
        {
            MoveTo(CoreTrialStage.Steady, 0, nowNs, ended); // every job may wake a slave: no other job is slowed down by that
        }
        else if (IsTrial)
        {
            Decide(rate, nowNs, ended);
        }
        else if (rate * EngineLimits.MostTriedNs < busy)
        {
            MoveTo(Stage, _level, nowNs, ended);
        }
        else if (_level != _found)
        {
            MoveTo(Stage, _found, nowNs + EngineLimits.TrialSettlesNs, ended); // jobs wait again, as when it was found
        }
        else if (nowNs >= _nextNs)
        {
            Rate = rate;
            SlavesBefore = Slaves;
            bool fewer = _level == 0 || (!_goesUp && Fewer(_level) > _level);
            MoveTo(fewer ? CoreTrialStage.TryFewer : CoreTrialStage.TryMore, _level, nowNs + EngineLimits.TrialSettlesNs, ended);
        }
        else
        {
            MoveTo(Stage, _level, nowNs, ended);
        }
    }

    /// <summary>Ends a trial. The next one comes at once, or later and later for as long as trials change nothing.</summary>
    private void Decide(double rate, long nowNs, long ended)
    {
        TriedRate = rate;
        bool isBetter = rate > Rate * EngineLimits.TrialGain;
        _goesUp = (Stage == CoreTrialStage.TryMore) == isBetter;
        _nextNs = isBetter ? nowNs : nowNs + _pauseNs;
        _pauseNs = isBetter ? EngineLimits.FirstTrialPauseNs : Math.Min(2 * _pauseNs, EngineLimits.MostTrialPauseNs);
        _found = isBetter ? TriedLevel : _level;
        MoveTo(CoreTrialStage.Steady, _found, nowNs + EngineLimits.TrialSettlesNs, ended);
    }

    /// <summary>The next level with fewer slaves than the pool has; the same when there is none.</summary>
    private int Fewer(int level)
    {
        int next = level + 1;
        while (SlavesAt(next) >= _total && SlavesAt(next) > 1)
        {
            next++;
        }

        return SlavesAt(level) == 1 ? level : next;
    }

    /// <summary>The next level with more slaves: all, where the pool has no more.</summary>
    private int More(int level) => level <= 1 || SlavesAt(level - 1) >= _total ? 0 : level - 1;

    private int SlavesAt(int level) => level == 0 ? int.MaxValue : Math.Max(1, cores >> Math.Min(level - 1, 30));

    /// <summary>The only method that changes <see cref="Stage"/>; begins a window.</summary>
    private void MoveTo(CoreTrialStage next, int level, long sinceNs, long ended)
    {
        Stage = next;
        _level = level;
        _sinceNs = sinceNs;
        _endedThen = ended;
        _waited = false;
    }
}
