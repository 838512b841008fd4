using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// The drifting-timer driver: the next tick comes one interval after the last job has ended, so two jobs never run at once.
/// </summary>
internal sealed class DriftingTimerDriver(DriverContext context) : TimerDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "drifting-timer", [Interval, ManifestKeys.RunOn("all")], static context => new DriftingTimerDriver(context));

    private long _intervalMs;

    protected override long? FirstDueMs => Loop.NowMs + _intervalMs;

    protected override void Begin(long nowMs)
    {
        _intervalMs = Context.Task.GetLong("interval");
        if (_intervalMs < 1)
        {
            throw new FormatException($"an interval of {_intervalMs} ms: an interval is 1 or more");
        }
    }

    protected override void OnDue(long nowMs)
    {
        TickCount++;
        if (!MakeJob())
        {
            CallAt(nowMs + _intervalMs);
        }
    }

    protected override void OnJobEnded(bool failed) => CallAt(Loop.NowMs + _intervalMs);
}
