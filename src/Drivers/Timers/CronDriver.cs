using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>The cron driver: a job at each time that a schedule matches in its time zone.</summary>
internal sealed class CronDriver(DriverContext context) : TimerDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "cron",
        [
            new("schedule", KeyKind.Text, "when", "required")
            {
                ExpectedWords = "a cron expression of 5 or 6 fields, or @hourly, @daily, @weekly, @monthly, @yearly",
                Check = ScheduleChecks.Schedule,
            },
            new("time-zone", KeyKind.Text, "the zone of the schedule", "UTC")
            {
                ExpectedWords = "a time zone of the tz database (UTC, Europe/Berlin)",
                Check = ScheduleChecks.TimeZone,
            },
            new("overlap", KeyKind.Text, "the effect of a match while the last job runs", "skip") { Choices = ["skip", "queue", "allow"] },
            new("missed", KeyKind.Text, "the treatment of matches that passed while the node slept", "skip")
            {
                Choices = ["skip", "once"],
            },
            ManifestKeys.RunOn("one"),
        ],
        static context => new CronDriver(context));

    private CronPlan _plan = null!;   // valid from Begin on
    private string _overlap = "skip";
    private int _waiting;             // matches that wait for the running job, with overlap "queue"
    private ClaimedTicks? _claimed;   // with run-on: one in a cluster; then the plan is not asked
    private long _term;               // of the last claim; 0 without one

    protected override long? FirstDueMs => NextLookMs;

    protected override DateTimeOffset? NextTick =>
        (_claimed is { } claimed ? claimed.Next(Context.Clock.GetUtcNow()) : _plan.Next)?.ToUniversalTime();

    private long? NextLookMs => _claimed is not null ? Loop.NowMs : _plan.Next is { } next ? LoopTimeOf(next) : null;

    protected override void Begin(long nowMs)
    {
        string schedule = Context.Task.GetText("schedule");
        string zoneName = Context.Task.GetText("time-zone");
        TimeZoneInfo zone = Schedules.FindZone(zoneName)
            ?? throw new FormatException($"this machine knows no time zone '{zoneName}'; zones other than UTC are in the package tzdata");
        if (!Schedules.IsFormed(schedule))
        {
            throw new FormatException($"the schedule '{schedule}' has not 5 or 6 fields");
        }

        ZonedSchedule parsed = Schedules.Parse(schedule, Schedules.SeedOf(Context.Engine.Name, Context.Task.Name), zone);
        _overlap = Context.Task.GetText("overlap");
        bool makesUp = Context.Task.GetText("missed") == "once";
        _plan = new CronPlan(parsed, makesUp, Context.Clock.GetUtcNow());
        _claimed = Context.Singleton is { } singleton ? new ClaimedTicks(singleton, parsed, makesUp) : null;
    }

    protected override void OnDue(long nowMs)
    {
        if (_claimed is { } claimed)
        {
            RunWaiting();
            LookForClaims(claimed);
            return;
        }

        long missedBefore = _plan.Missed;
        int due = _plan.Advance(Context.Clock.GetUtcNow());
        if (_plan.Missed > missedBefore)
        {
            TimerLog.Missed(
                Context.Log, Context.Engine.Name, Context.Task.Name, _plan.Missed - missedBefore, Context.Task.GetText("missed"));
        }

        RunWaiting();
        for (int i = 0; i < due; i++)
        {
            Match();
        }

        LookAgain();
    }

    protected override void OnJobEnded(bool failed)
    {
        if (_waiting > 0)
        {
            CallAt(Loop.NowMs);
        }
    }

    protected override void AddFacts(Dictionary<string, object> facts)
    {
        facts["missed"] = _plan.Missed;
        facts["skipped"] = Monitor.Counts.TicksSkipped;
        facts["waiting"] = _waiting;
    }

    /// <summary>Claims the next tick when it is due, and looks again when the claim has its end, or later.</summary>
    private void LookForClaims(ClaimedTicks claimed)
    {
        DateTimeOffset now = Context.Clock.GetUtcNow();
        if (!claimed.TryClaim(now, Context.Engine.IsPaused, OnClaimed))
        {
            CallAt(Math.Min(claimed.Next(now) is { } next ? LoopTimeOf(next) : long.MaxValue, Loop.NowMs + ClaimedTicks.LookMs));
        }
    }

    private void OnClaimed(long term, long tickMs)
    {
        if (term > 0)
        {
            _term = term;
            GoToSuccessor();
            Match(tickMs);
        }

        CallAt(Loop.NowMs + (term > 0 ? 0 : ClaimedTicks.LookMs));
    }

    private void RunWaiting()
    {
        if (_waiting > 0 && Running == 0)
        {
            _waiting--;
            MakeJob(_term);
        }
    }

    private void Match(long tickMs = 0)
    {
        TickCount++;
        bool isFree = _overlap == "allow" || Running + _waiting == 0;
        if (isFree)
        {
            MakeJob(_term, tickMs);
        }
        else if (_overlap == "queue" && (_waiting < Context.Engine.Settings.QueueLimit || Context.Engine.Settings.QueueLimit == 0))
        {
            _waiting++;
        }
        else
        {
            Monitor.Counts.TicksSkipped++;
        }
    }

    private void LookAgain()
    {
        if (_waiting > 0 && Running == 0)
        {
            CallAt(Loop.NowMs); // the match's job was not taken, and no ending job will make the driver try again
        }
        else if (NextLookMs is { } next)
        {
            CallAt(next);
        }
    }
}
