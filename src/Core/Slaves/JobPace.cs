using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Slaves;

/// <summary>
/// How fast a slave ends jobs while it has some: the time from one end to the next. The measure rises at once and falls by half of the
/// difference, so that one slow job stops what is given to the slave ahead, and several quick ones bring it back.
/// </summary>
internal struct JobPace
{
    private long _sinceNs;  // the turn before the last in which jobs ended, or the begin of the slave's work
    private long _turnNs;   // the last turn in which jobs ended
    private int _ended;     // jobs that ended in it
    private bool _slept;    // the slave did not run for a part of the time since then

    /// <summary>Time per job, ns; 0 while nothing is known.</summary>
    public long PerJobNs { get; private set; }

    /// <summary>When the slave was last so quick that it may be given work ahead, ns; 0 when it never was.</summary>
    public long QuickNs { get; private set; }

    /// <summary>When a job ended last, or the slave's work began if none did, ns.</summary>
    public readonly long LastNs => _turnNs;

    /// <summary>Something is known of the slave's jobs.</summary>
    public bool IsKnown { get; private set; }

    /// <summary>How many jobs take the time for which a slave may be given work ahead.</summary>
    public readonly int Ahead =>
        !IsKnown ? 0 : PerJobNs * EngineLimits.MostAhead <= EngineLimits.AheadTargetNs ? EngineLimits.MostAhead
        : (int)(EngineLimits.AheadTargetNs / PerJobNs);

    /// <summary>The slave had no job until now, and gets one.</summary>
    public void Begin(long nowNs)
    {
        Fold();
        _sinceNs = _turnNs = nowNs;
        _slept = false;
    }

    /// <summary>The slave does not run: it has begun nothing of what it has. That tells nothing about its jobs.</summary>
    public void OnAsleep() => _slept = true;

    /// <summary>The slave did not run when it was looked at last, and has ended nothing since.</summary>
    public readonly bool IsAsleep => _slept;

    /// <summary>A job has ended.</summary>
    public void OnEnd(long nowNs)
    {
        if (nowNs != _turnNs)
        {
            Fold();
            _turnNs = nowNs;
        }

        if (_slept)
        {
            _slept = false;
            _sinceNs = nowNs;
            return;
        }

        _ended++;
        if (!IsKnown)
        {
            Fold();
        }
    }

    /// <summary>No job has ended for as long as this.</summary>
    public void OnStood(long nowNs)
    {
        Fold();
        Add(nowNs - _turnNs);
    }

    /// <summary>Counts the jobs of the last turn.</summary>
    private void Fold()
    {
        if (_ended > 0)
        {
            if (_turnNs > _sinceNs || !IsKnown)
            {
                Add((_turnNs - _sinceNs) / _ended);
            }

            _sinceNs = _turnNs;
            _ended = 0;
        }
    }

    private void Add(long perJobNs)
    {
        PerJobNs = !IsKnown || perJobNs >= PerJobNs ? perJobNs : PerJobNs - ((PerJobNs - perJobNs) / 2);
        IsKnown = true;
        QuickNs = Ahead > 0 ? _turnNs : QuickNs;
    }
}
