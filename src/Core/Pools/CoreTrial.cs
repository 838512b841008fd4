using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Finds out whether more jobs end when only as many slaves as cores have jobs, or when all have. Where jobs wait for nothing but a core,
/// further slaves only take turns with those that have one, and each turn costs. Where jobs wait for something else, each slave counts.
/// No clock tells the two apart while slaves share cores; so both are tried, for a moment each, while jobs wait.
/// </summary>
internal sealed class CoreTrial
{
    private long _sinceNs;     // begin of the present window
    private long _endedThen;   // jobs that had ended by then
    private bool _waited;      // more jobs than cores waited at one look of the window or more
    private long _nextNs;      // the time before which nothing is tried
    private long _pauseNs = EngineLimits.FirstTrialPauseNs;

    /// <summary>The slaves that get jobs at present.</summary>
    public CoreTrialStage Stage { get; private set; }

    /// <summary>Jobs that ended before the last trial, 1/ns. Valid in and after a trial.</summary>
    public double Rate { get; private set; }

    /// <summary>Jobs that ended in the last trial, 1/ns. Valid after it.</summary>
    public double TriedRate { get; private set; }

    /// <summary>Only as many slaves as cores get jobs.</summary>
    public bool IsFew => Stage is CoreTrialStage.Few or CoreTrialStage.TryFew;

    private bool IsTrial => Stage is CoreTrialStage.TryFew or CoreTrialStage.TryAll;

    /// <summary>Looks at the jobs that have ended: in each turn in which one has, and at least each moment while one waits.</summary>
    /// <param name="nowNs">The turn.</param>
    /// <param name="ended">All jobs that have ended so far.</param>
    /// <param name="jobsWait">More jobs wait than there are cores.</param>
    /// <param name="busy">Slaves that have jobs.</param>
    public void Look(long nowNs, long ended, bool jobsWait, int busy)
    {
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
            MoveTo(CoreTrialStage.All, nowNs, ended); // every job may wake a slave: no other job is slowed down by that
        }
        else if (IsTrial)
        {
            Decide(rate, nowNs, ended);
        }
        else if (nowNs >= _nextNs && rate * EngineLimits.MostTriedNs >= busy)
        {
            Rate = rate;
            MoveTo(IsFew ? CoreTrialStage.TryAll : CoreTrialStage.TryFew, nowNs + EngineLimits.TrialSettlesNs, ended);
        }
        else
        {
            MoveTo(Stage, nowNs, ended);
        }
    }

    /// <summary>Ends a trial. The next one comes later and later, for as long as trials change nothing.</summary>
    private void Decide(double rate, long nowNs, long ended)
    {
        TriedRate = rate;
        bool isBetter = rate > Rate * EngineLimits.TrialGain;
        bool isFew = (Stage == CoreTrialStage.TryFew) == isBetter;
        _pauseNs = isBetter ? EngineLimits.FirstTrialPauseNs : Math.Min(2 * _pauseNs, EngineLimits.MostTrialPauseNs);
        _nextNs = nowNs + _pauseNs;
        MoveTo(isFew ? CoreTrialStage.Few : CoreTrialStage.All, nowNs + EngineLimits.TrialSettlesNs, ended);
    }

    /// <summary>The only method that changes <see cref="Stage"/>; begins a window.</summary>
    private void MoveTo(CoreTrialStage next, long sinceNs, long ended)
    {
        Stage = next;
        _sinceNs = sinceNs;
        _endedThen = ended;
        _waited = false;
    }
}
