using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Slaves;
using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Core.Pools;

/// <summary>Retires slaves above the minimum that have been idle for the suicide-timeout, one at a time.</summary>
internal sealed class IdleSlaves(EngineScope scope, SlaveRoster roster) : WheelTimer
{
    private const long BetweenMs = 1000;

    /// <summary>A slave is idle, or more of them are above the minimum.</summary>
    public void Watch()
    {
        if (!IsArmed && scope.State == EngineState.Running && roster.Standing > roster.Minimum && roster.Idle > 0)
        {
            scope.Loop.Timers.Arm(this, scope.Loop.NowMs + scope.Settings.SuicideTimeoutMs);
        }
    }

    /// <summary>The slave that has been idle longest may have been idle for long enough.</summary>
    public override void OnDue(long nowMs)
    {
        Slave? oldest = null;
        foreach (Slave slave in roster.Slaves)
        {
            if (slave.State == SlaveState.Idle && (oldest is null || slave.IdleSinceMs < oldest.IdleSinceMs))
            {
                oldest = slave;
            }
        }

        if (oldest is null || roster.Standing <= roster.Minimum)
        {
            return;
        }

        long due = oldest.IdleSinceMs + scope.Settings.SuicideTimeoutMs;
        if (due <= nowMs)
        {
            PoolLog.Shrinks(scope.Log, scope.Name, oldest.ShortId, nowMs - oldest.IdleSinceMs, roster.Total, roster.Minimum);
            scope.Counters.Reasons.Count(PoolDecision.ShrinkIdle);
            oldest.Terminate("idle for the suicide-timeout", SlaveEnd.Scaled);
            due = nowMs + BetweenMs;
        }

        scope.Loop.Timers.Arm(this, due);
    }
}
