using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Keeps jobs on as many slaves as the machine has cores, or on fewer, where more jobs end so: another slave that is woken would bring no
/// core. The others sleep until one of those ends no job for a moment. This holds for slaves that run one job at a time and get others
/// ahead.
/// </summary>
internal sealed class CoreShare(EngineScope scope, SlaveRoster roster, int cores, Action onJobsWait) : WheelTimer
{
    private readonly CoreTrial _trial = new(cores);
    private long _turnNs = -1;  // the turn of _taken and of the slaves' marks
    private bool _taken;
    private long _logDueMs;     // the time before which no change is logged

    /// <summary>Slaves that get no jobs, because more jobs end without them.</summary>
    public int Sleeping => _trial.Stage == CoreTrialStage.Steady && roster.Working > _trial.Slaves ? roster.Working - _trial.Slaves : 0;

    /// <summary>As many slaves as may have jobs have some, and the others sleep.</summary>
    private bool AreTaken
    {
        get
        {
            if (!_trial.IsFew || roster.Total <= _trial.Slaves)
            {
                return false;
            }

            if (_turnNs != scope.Loop.NowNs)
            {
                Mark();
            }

            return _taken;
        }
    }

    /// <summary>The slave that the next job goes to: the least loaded one with room, but for those that sleep.</summary>
    public Slave? Pick()
    {
        Slave? least = roster.Pick();
        if (least is null || Allows(least))
        {
            return least;
        }

        foreach (Slave slave in roster.Slaves)
        {
            if (HasCore(slave) && slave.HasRoom)
            {
                return slave;
            }
        }

        return null;
    }

    /// <summary>The slave may get jobs: cores are left, or the slave has one.</summary>
    public bool Allows(Slave slave) => !AreTaken || HasCore(slave);

    /// <summary>Jobs have ended.</summary>
    public void OnEnded()
    {
        if (scope.Settings.Concurrency == 1 && roster.Total > 1)
        {
            bool wasTrial = _trial.Stage != CoreTrialStage.Steady;
            _trial.Look(
                scope.Loop.NowNs, (long)(scope.Counters.JobsDone + scope.Counters.JobsFailed), scope.Queue.Count > cores, roster.Busy,
                roster.Total);
            if (wasTrial && _trial.Stage == CoreTrialStage.Steady && _trial.Slaves != _trial.SlavesBefore)
            {
                LogChange();
            }
        }
    }

    /// <summary>A job waits although a slave sleeps. When it stands ahead on no slave by the end of the turn, it may wake one.</summary>
    public void OnWaits()
    {
        if (!IsArmed || DueMs > scope.Loop.NowMs)
        {
            scope.Loop.Timers.Arm(this, scope.Loop.NowMs);
        }
    }

    /// <summary>The turn has read all that there was to read, or a moment has passed.</summary>
    public override void OnDue(long nowMs)
    {
        OnEnded();
        onJobsWait();
        if (IsArmed)
        {
            scope.Loop.Timers.Arm(this, nowMs + 1); // a job still waits; jobs of the next turn may move this to that turn's end
        }
    }

    /// <summary>Logs a trial that has changed something, but few of them.</summary>
    private void LogChange()
    {
        if (scope.Loop.NowMs >= _logDueMs)
        {
            _logDueMs = scope.Loop.NowMs + EngineLimits.TrialLogMs;
            PoolLog.SharesCores(
                scope.Log, scope.Name, Math.Min(_trial.Slaves, roster.Working), (long)(_trial.TriedRate * 1e9),
                (long)(_trial.Rate * 1e9), Math.Min(_trial.SlavesBefore, roster.Working));
        }
    }

    private bool HasCore(Slave slave) => slave.Ahead.CoreTurnNs == scope.Loop.NowNs;

    private void Mark()
    {
        _turnNs = scope.Loop.NowNs;
        int left = _trial.Slaves;
        foreach (Slave slave in roster.Slaves)
        {
            if (left > 0 && slave.IsServing(_turnNs))
            {
                slave.Ahead.CoreTurnNs = _turnNs;
                left--;
            }
        }

        _taken = left == 0;
    }
}
