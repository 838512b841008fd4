using Cocaine.Fast.Drivers.Timers;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>A year of a clock that is looked at every second, against times that are found by walking through all minutes of the year.</summary>
public class CronPlanTests
{
    public static TheoryData<string, string, Func<DateTime, bool>, bool> Schedules => new()
    {
        { "Europe/Berlin", "30 2 * * *", local => local is { Hour: 2, Minute: 30 }, false },
        { "America/New_York", "30 2 * * *", local => local is { Hour: 2, Minute: 30 }, false },
        { "America/New_York", "30 1 * * *", local => local is { Hour: 1, Minute: 30 }, false },
        { "Europe/Berlin", "*/30 * * * *", local => local.Minute % 30 == 0, true },
        { "America/New_York", "*/30 * * * *", local => local.Minute % 30 == 0, true },
        { "Europe/Berlin", "0 9 * * MON-FRI", local => local is { Hour: 9, Minute: 0, DayOfWeek: not (DayOfWeek.Saturday or DayOfWeek.Sunday) }, false },
        { "America/New_York", "@monthly", local => local is { Day: 1, Hour: 0, Minute: 0 }, false },
        { "Europe/Berlin", "15 3 L * *", local => local is { Hour: 3, Minute: 15 } && local.AddDays(1).Day == 1, false },
        { "UTC", "0 12 29 2 *", local => local is { Month: 2, Day: 29, Hour: 12, Minute: 0 }, false },
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void A_whole_year_has_each_match_once_and_at_its_time(string zoneName, string schedule, Func<DateTime, bool> matches, bool runsThroughRepeatedHours)
    {
        TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById(zoneName);
        DateTimeOffset start = new(2028, 1, 1, 0, 0, 30, TimeSpan.Zero), end = start.AddYears(1);
        CronPlan plan = new(Cocaine.Fast.Drivers.Timers.Schedules.Parse(schedule, 0, zone), makesUp: false, start);
        List<DateTimeOffset> fired = [];
        for (DateTimeOffset now = start; now < end; now = now.AddSeconds(1))
        {
            for (int due = plan.Advance(now); due > 0; due--)
            {
                fired.Add(now.ToUniversalTime());
            }
        }

        Assert.Equal(ScheduleModel.Expected(zone, start, end, matches, runsThroughRepeatedHours), fired);
        Assert.Equal(0, plan.Missed);
    }

    /// <summary>Eight jumps: some spans fewer than are kept. A match every five minutes is the one before the time at which it is given.</summary>
    [Fact]
    public void Random_jumps_of_the_clock_never_give_a_match_twice()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            Random random = new(seed);
            DateTimeOffset now = new(2027, 3, 28, 0, 0, 0, TimeSpan.Zero);
            TimeZoneInfo zone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
            CronPlan plan = new(Cocaine.Fast.Drivers.Timers.Schedules.Parse("*/5 * * * *", 0, zone), makesUp: seed % 2 == 0, now);
            Dictionary<DateTimeOffset, DateTimeOffset> given = [];
            bool isKnown = true; // each match that was made up for
            for (int i = 0; i < 4000; i++)
            {
                bool jumps = i % 500 == 499;
                now = jumps ? now.AddSeconds(random.Next(-7200, 7200)) : now.AddSeconds(random.Next(1, 10));
                int due = plan.Advance(now);
                Assert.InRange(due, 0, 1);
                DateTimeOffset match = new(now.Ticks - (now.Ticks % TimeSpan.FromMinutes(5).Ticks), TimeSpan.Zero);
                if (due == 1 && jumps)
                {
                    isKnown &= given.TryAdd(match, now); // if it was given already, the job makes up for an older one
                }
                else if (due == 1)
                {
                    Assert.True(given.TryAdd(match, now), $"seed {seed}: {match} at {given.GetValueOrDefault(match)} and at {now}");
                    Assert.True(now - match <= TimeSpan.FromSeconds(10), $"seed {seed}: {match} at {now}");
                }
                else if (isKnown && !jumps && now - match < TimeSpan.FromSeconds(1))
                {
                    Assert.True(given.ContainsKey(match), $"seed {seed}: {match} was never given");
                }
            }
        }
    }
}
