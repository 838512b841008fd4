namespace Cocaine.Fast.Core.Timing;

/// <summary>A timer of a wheel. It is embedded in its user (a job, a slave), so arming allocates nothing.</summary>
internal abstract class WheelTimer
{
    internal WheelTimer? NextTimer;
    internal WheelTimer? PreviousTimer;

    /// <summary>The timer's list in the wheel; -1 when the timer is not armed. Only the wheel uses it.</summary>
    internal int TimerList = -1;

    /// <summary>The time at which the timer is due, ms of the wheel's clock. Valid while armed.</summary>
    public long DueMs { get; internal set; }

    public bool IsArmed => TimerList >= 0;

    /// <summary>The timer is due. At this moment it is not armed any more, and this method may arm it again.</summary>
    public abstract void OnDue(long nowMs);
}
