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
        ],
        static context => new CronDriver(context));

    private CronPlan _plan = null!;   // valid from Begin on
    private string _overlap = "skip";
    private long _skipped;            // matches while the last job was running, with overlap "skip"
    private int _waiting;             // matches that wait for the running job, with overlap "queue"

    protected override long? FirstDueMs => NextLookMs;

    protected override DateTimeOffset? NextTick => _plan.Next?.ToUniversalTime();

    private long? NextLookMs => _plan.Next is { } next ? LoopTimeOf(next) : null;

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
        _plan = new CronPlan(parsed, Context.Task.GetText("missed") == "once", Context.Clock.GetUtcNow());
    }

    protected override void OnDue(long nowMs)
    {
        long missedBefore = _plan.Missed;
        int due = _plan.Advance(Context.Clock.GetUtcNow());
        if (_plan.Missed > missedBefore)
        {
            TimerLog.Missed(
                Context.Log, Context.Engine.Name, Context.Task.Name, _plan.Missed - missedBefore, Context.Task.GetText("missed"));
        }

        if (_waiting > 0 && Running == 0)
        {
            _waiting--;
            MakeJob();
        }

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
        facts["skipped"] = _skipped;
        facts["waiting"] = _waiting;
    }

    private void Match()
    {
        TickCount++;
        bool isFree = _overlap == "allow" || Running + _waiting == 0;
        if (isFree)
        {
            MakeJob();
        }
        else if (_overlap == "queue" && (_waiting < Context.Engine.Settings.QueueLimit || Context.Engine.Settings.QueueLimit == 0))
        {
            _waiting++;
        }
        else
        {
            _skipped++;
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
