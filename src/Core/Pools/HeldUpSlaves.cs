using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Looks after slaves that run several jobs at once by their worker's own wish: an event loop, where one handler that computes holds all
/// others up. The jobs behind such a handler go to slaves that have room; while there are none, the pool grows. Slaves with a concurrency
/// of the manifest are left alone.
/// </summary>
internal sealed class HeldUpSlaves(EngineScope scope, SlaveRoster roster, Action onTakenBack, Action grow) : WheelTimer
{
    private long _sinceNs;  // when the first of the jobs began to stand that stand now; valid while Jobs is not 0

    /// <summary>Jobs that stood in held-up slaves at the last look, because no slave had room for them.</summary>
    public int Jobs { get; private set; }

    /// <summary>These jobs have stood for as long as is worth another slave.</summary>
    public bool AreWorthASlave => Jobs > 0 && scope.Loop.NowNs - _sinceNs >= scope.Settings.GrowWaitMs * Clock.NsPerMs;

    /// <summary>Looks soon, when the slave has several jobs.</summary>
    public void Watch(Slave slave)
    {
        if (!IsArmed && slave.Load > 1 && scope.IsConcurrencyWished)
        {
            scope.Loop.Timers.Arm(this, scope.Loop.NowMs + EngineLimits.MostStandingMs);
        }
    }

    /// <summary>The queue is full: held-up slaves take jobs all the same. False when there are none.</summary>
    public bool Release()
    {
        bool any = false;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Ahead.IsHeldUp)
            {
                any = true;
                slave.Ahead.IsHeldUp = false;
                roster.Moved(slave);
            }
        }

        return any;
    }

    /// <summary>No job is left, and every slave is told to end: nothing is worth another slave from here on.</summary>
    public void Stop()
    {
        Jobs = 0;
        scope.Loop.Timers.Cancel(this);
    }

    /// <summary>Time for the next look.</summary>
    public override void OnDue(long nowMs)
    {
        bool goesOn = LookAtAll();
        int before = Jobs, taken = 0;
        Jobs = 0;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.Ahead is { IsHeldUp: true, HasUnbegun: true })
            {
                // A slave without a job is found by this, too.
                int back = roster.Pick() is null ? 0 : slave.Ahead.TakeBackUnbegun(onlyHalf: false);
                Jobs += back == 0 ? slave.Ahead.Unbegun : 0;
                taken += back;
            }
        }

        _sinceNs = before > 0 ? _sinceNs : scope.Loop.NowNs;
        if (goesOn)
        {
            scope.Loop.Timers.Arm(this, nowMs + EngineLimits.MostStandingMs);
        }

        if (taken > 0 || (scope.Queue.Unplaced > 0 && roster.Pick() is not null))
        {
            onTakenBack();
        }

        if (taken > 0 || AreWorthASlave)
        {
            grow(); // there may have been room for some of them only
        }
    }

    /// <summary>Looks how far each slave is. False when none of them has a job that it has not begun, and none is held up.</summary>
    private bool LookAtAll()
    {
        bool goesOn = false;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.State == SlaveState.Busy)
            {
                bool was = slave.Ahead.IsHeldUp;
                slave.Ahead.LookForStall();
                goesOn |= slave.Ahead.IsHeldUp || slave.Ahead.HasUnbegun;
                if (was != slave.Ahead.IsHeldUp)
                {
                    roster.Moved(slave);
                }
            }
        }

        return goesOn;
    }
}
