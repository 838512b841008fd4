namespace Cocaine.Fast.Core.Timing;

/// <summary>Something with a time. It is embedded in what it serves (a job, a slave), so arming allocates nothing.</summary>
internal abstract class WheelTimer
{
    internal WheelTimer? NextTimer;
    internal WheelTimer? PreviousTimer;

    /// <summary>Its list in the wheel; -1 when it is not armed. Only the wheel uses it.</summary>
    internal int TimerList = -1;

    /// <summary>When it is due, ms of the wheel's clock. Valid while armed.</summary>
    public long DueMs { get; internal set; }

    public bool IsArmed => TimerList >= 0;

    /// <summary>It is due. It is not armed any more and may be armed again here.</summary>
    public abstract void OnDue(long nowMs);
}
