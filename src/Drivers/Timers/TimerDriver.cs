using System.Globalization;
using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Monitoring;
using Cocaine.Fast.Core.Protocol;
using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Drivers.Base;
using Cocaine.Fast.Drivers.Publishing;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// A driver that makes jobs by time: it has one timer of the loop's wheel, the caller of its jobs, and its facts. A derived class says when
/// it wants to be called next, and what it does then.
/// </summary>
internal abstract class TimerDriver : Driver
{
    /// <summary>The longest interval: a year. The cron driver has times of the calendar.</summary>
    private const long MaxIntervalMs = 366L * 24 * 3600 * 1000;

    /// <summary>The key of drivers that tick in intervals.</summary>
    protected static readonly KeySpec Interval =
        new("interval", KeyKind.Milliseconds, "time between ticks, ms; at most 366 days", "required") { Min = 1, Max = MaxIntervalMs };

    /// <summary>
    /// The latest ticks that are made up for one by one: longer than a busy machine delays a loop, shorter than anybody would call a
    /// suspension. See docs/drivers.md.
    /// </summary>
    public const int GraceMs = 10_000;

    /// <summary>Pause after an unexpected fault, so that the driver goes on, but not in a tight loop.</summary>
    private const int FaultPauseMs = 1000;

    private readonly Alarm _alarm;
    private readonly Caller _caller;

    protected TimerDriver(DriverContext context)
    {
        Context = context;
        _alarm = new Alarm(this);
        _caller = new Caller(this);
    }

    public override TaskMonitor Monitor => _caller.Monitor;

    public override bool HasTicks => true;

    public override IReadOnlyDictionary<string, object> Facts
    {
        get
        {
            Dictionary<string, object> facts = new()
            {
                ["next-tick"] = NextTick?.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) ?? "none",
                ["ticks"] = TickCount,
                ["dropped"] = _caller.Dropped,
                ["running"] = _caller.Pending,
            };
            AddFacts(facts);
            return facts;
        }
    }

    protected DriverContext Context { get; }

    protected IEngineLoop Loop => Context.Engine.Loop;

    /// <summary>Ticks so far, including ticks that made no job.</summary>
    protected long TickCount { get => Monitor.Counts.Ticks; set => Monitor.Counts.Ticks = value; }

    /// <summary>Jobs under way.</summary>
    protected int Running => _caller.Pending;

    /// <summary>False once the driver takes no new work.</summary>
    protected bool IsTaking { get; private set; }

    /// <summary>The time of the next tick, in UTC; null when none is planned.</summary>
    protected virtual DateTimeOffset? NextTick =>
        _alarm.IsArmed ? Context.Clock.GetUtcNow().ToUniversalTime().AddMilliseconds(_alarm.DueMs - Loop.NowMs) : null;

    public sealed override void Open()
    {
        Begin(Loop.NowMs);
        IsTaking = true;
        if (FirstDueMs is { } due)
        {
            CallAt(due);
        }
    }

    public override void StopTaking()
    {
        IsTaking = false;
        Loop.Timers.Cancel(_alarm);
    }

    /// <summary>A tick that is due, but that the loop has not reached yet, still comes.</summary>
    public override void HandOff()
    {
        if (_alarm.IsArmed && _alarm.DueMs <= Loop.NowMs)
        {
            Loop.Timers.Cancel(_alarm);
            _alarm.OnDue(Loop.NowMs);
        }

        StopTaking();
    }

    public override void Close() => StopTaking();

    /// <summary>The time of the first <see cref="OnDue"/>; asked after <see cref="Begin"/>.</summary>
    protected abstract long? FirstDueMs { get; }

    /// <summary>Reads the task's keys.</summary>
    /// <exception cref="FormatException">A key cannot be used.</exception>
    protected abstract void Begin(long nowMs);

    /// <summary>The time of the call has come.</summary>
    protected abstract void OnDue(long nowMs);

    /// <summary>A job has ended, well or not. The driver must make no new job in this method: the slave is not free yet.</summary>
    protected virtual void OnJobEnded(bool failed)
    {
    }

    /// <summary>A chunk of an answer: true when the driver keeps it, false when it has to be published.</summary>
    protected virtual bool Takes(in Payload chunk) => false;

    /// <summary>Adds the facts of this kind of driver.</summary>
    protected virtual void AddFacts(Dictionary<string, object> facts)
    {
    }

    /// <summary>Calls <see cref="OnDue"/> at a time of the loop's clock, once; a later call of this method replaces it.</summary>
    protected void CallAt(long dueMs)
    {
        if (IsTaking)
        {
            Loop.Timers.Arm(_alarm, dueMs);
        }
    }

    /// <summary>
    /// The loop's time at which the wall clock should show <paramref name="due"/>. The wall clock may jump meanwhile, so it is read once a
    /// second, by all such drivers of a loop in the same turn.
    /// </summary>
    protected long LoopTimeOf(DateTimeOffset due)
    {
        long lookAgain = ((Loop.NowMs / 1000) + 1) * 1000;
        double leftMs = Math.Ceiling((due - Context.Clock.GetUtcNow()).TotalMilliseconds);
        return leftMs > lookAgain - Loop.NowMs ? lookAgain : Loop.NowMs + Math.Max(0, (long)leftMs);
    }

    /// <summary>
    /// Makes a job. False when the engine did not take it, or when the task's jobs are another node's.
    /// </summary>
    /// <param name="term">The term under which this node claimed the job's time; 0 when the job has no time that is claimed.</param>
    /// <param name="timeMs">The claimed time, ms since 1970; 0 when it is not told.</param>
    protected bool MakeJob(long term = 0, long timeMs = 0)
    {
        if (term == 0 && Context.IsElsewhere)
        {
            return false;
        }

        long fence = term > 0 ? term : Context.Singleton?.Term ?? 0;
        Span<byte> room = stackalloc byte[LeaseHeaders.MaxBytes];
        if (_caller.TrySubmit([], headers: fence > 0 ? LeaseHeaders.Write(room, fence, timeMs) : []))
        {
            return true;
        }

        if (long.IsPow2(_caller.Dropped)) // an app that is full for a long time does not fill the log
        {
            TimerLog.Dropped(Context.Log, Context.Engine.Name, Context.Task.Name, _caller.Dropped);
        }

        return false;
    }

    /// <summary>A claim had its end after the driver was handed off: the job is the next version's.</summary>
    protected void GoToSuccessor()
    {
        if (!IsTaking && Context.Successor is { } next)
        {
            Context.SwitchTo(next, Context.Publisher);
        }
    }

    /// <summary>Publishes the kept chunk of an answer after all.</summary>
    protected void Publish(ReadOnlySpan<byte> chunk) => Context.Publisher.PublishChunk(Context.Task.Name, chunk);

    private sealed class Alarm(TimerDriver driver) : WheelTimer
    {
        public override void OnDue(long nowMs)
        {
            try
            {
                driver.OnDue(nowMs);
            }
            catch (Exception fault) when (fault is not OutOfMemoryException)
            {
                // Unexpected, but the timer goes on: a timer that ends without a word would be worse.
                TimerLog.Fault(driver.Context.Log, fault, driver.Context.Engine.Name, driver.Context.Task.Name);
                driver.CallAt(nowMs + FaultPauseMs);
            }
        }
    }

    private sealed class Caller(TimerDriver driver) : PublishingCaller(driver.Context)
    {
        public override void OnChunk(Job job, in Payload data)
        {
            if (!driver.Takes(in data))
            {
                base.OnChunk(job, in data);
            }
        }

        public override void OnDone(Job job)
        {
            base.OnDone(job);
            driver.OnJobEnded(failed: false);
        }

        public override void OnFailed(Job job, in JobError error)
        {
            base.OnFailed(job, in error);
            driver.OnJobEnded(failed: true);
        }
    }
}
