using Cocaine.Fast.Drivers.Timers;

namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>Schedules around every change of every zone's clock from 2025 to 2035, against a walk through the minutes.</summary>
public class ZonedScheduleTests
{
    private static readonly (string Schedule, Func<DateTime, bool> Matches, bool IsInterval)[] Cases =
    [
        ("30 1 * * *", local => local is { Hour: 1, Minute: 30 }, false),
        ("30 2 * * *", local => local is { Hour: 2, Minute: 30 }, false),
        ("0 0 * * *", local => local is { Hour: 0, Minute: 0 }, false),
        ("15,45 0,1,2,3 * * *", local => local.Hour <= 3 && local.Minute is 15 or 45 && local.Hour <= 3, false),
        ("0 1 * * SUN", local => local is { Hour: 1, Minute: 0, DayOfWeek: DayOfWeek.Sunday }, false),
        ("@hourly", local => local.Minute == 0, true),
        ("*/30 * * * *", local => local.Minute % 30 == 0, true),
        ("*/5 1 * * *", local => local.Hour == 1 && local.Minute % 5 == 0, true),
        ("0 1-3 * * *", local => local.Hour is >= 1 and <= 3 && local.Minute == 0, true),
    ];

    [Fact]
    public void Each_match_comes_once_and_at_its_time_around_every_change_of_every_clock()
    {
        int changes = 0;
        foreach (TimeZoneInfo zone in TimeZoneInfo.GetSystemTimeZones().DistinctBy(Behaviour))
        {
            foreach (DateTimeOffset change in Changes(zone))
            {
                changes++;
                foreach ((string schedule, Func<DateTime, bool> matches, bool isInterval) in Cases)
                {
                    DateTimeOffset start = change.AddHours(-5).AddSeconds(30), end = change.AddHours(5).AddSeconds(30);
                    Assert.True(
                        ScheduleModel.Expected(zone, start, end, matches, isInterval).SequenceEqual(Matches(zone, schedule, start, end)),
                        $"{zone.Id}, {change:u}, {schedule}: {string.Join(", ", Matches(zone, schedule, start, end))}");
                }
            }
        }

        Assert.InRange(changes, 500, 100_000);
    }

    [Theory]
    [InlineData("*/20 * * * * *", 180 * 3)]
    [InlineData("0,20,40 59 1 * * *", 3)] // a time of day: the first pass only
    [InlineData("*/20 59 1 * * *", 3 * 2)]
    public void Seconds_are_right_in_both_passes_of_an_autumn_hour(string schedule, int matches)
    {
        foreach ((string zone, string start) in (ReadOnlySpan<(string, string)>)[
            ("Europe/Dublin", "2027-10-31T00:00:00Z"), ("America/New_York", "2027-11-07T05:00:00Z")])
        {
            DateTimeOffset from = DateTimeOffset.Parse(start, null);
            Assert.Equal(
                matches, Matches(TimeZoneInfo.FindSystemTimeZoneById(zone), schedule, from.AddTicks(-1), from.AddHours(3).AddTicks(-1)).Count);
        }
    }

    [Theory]
    [InlineData("H 3 * * *")]
    [InlineData("H H * * *")]
    [InlineData("H/15 * * * *")]
    [InlineData("H H H * *")]
    public void An_H_is_a_value_of_the_task_and_the_same_in_each_run(string schedule)
    {
        Assert.True(Schedules.IsFormed(schedule));
        Assert.Null(Schedules.Problem(schedule));
        HashSet<DateTimeOffset?> firsts = [];
        for (int task = 0; task < 50; task++)
        {
            int seed = Schedules.SeedOf("app", $"task{task}");
            Assert.Equal(seed, Schedules.SeedOf("app", $"task{task}"));
            firsts.Add(Schedules.Parse(schedule, seed, TimeZoneInfo.Utc).After(DateTimeOffset.UnixEpoch));
        }

        Assert.InRange(firsts.Count, 10, 50);
        Assert.DoesNotContain(null, firsts);
    }

    [Theory]
    [InlineData("H H 30 2 *")]
    [InlineData("H(50-70) 3 * * *")]
    [InlineData("0 0 H/29 2 *")]
    [InlineData("0 0 (1) 2 *")]
    [InlineData("H(")]
    public void A_schedule_with_an_H_that_never_or_not_always_matches_is_a_mistake(string schedule) =>
        Assert.True(!Schedules.IsFormed(schedule) || Schedules.Problem(schedule) is not null);

    [Theory]
    [InlineData("30 4 1,15 * 5", true)]
    [InlineData("0 30 4 1 * MON", true)]
    [InlineData("30 4 1,15 * *", false)]
    [InlineData("30 4 * * 5", false)]
    [InlineData("@weekly", false)]
    public void Days_that_must_match_twice_are_known(string schedule, bool both) =>
        Assert.Equal(both, Schedules.RestrictsBothDays(schedule));

    private static List<DateTimeOffset> Matches(TimeZoneInfo zone, string schedule, DateTimeOffset start, DateTimeOffset end)
    {
        ZonedSchedule plan = Schedules.Parse(schedule, 0, zone);
        List<DateTimeOffset> matches = [];
        for (DateTimeOffset? match = plan.After(start); match < end; match = plan.After(match.Value))
        {
            Assert.True(matches.Count == 0 || match > matches[^1], $"{zone.Id}, {schedule}: {match} comes again");
            matches.Add(match.Value);
        }

        return matches;
    }

    private static string Behaviour(TimeZoneInfo zone) =>
        string.Join(' ', Changes(zone).Select(change => $"{change:u}{zone.GetUtcOffset(change.AddSeconds(-1))}{zone.GetUtcOffset(change)}"));

    /// <summary>The moments at which a zone's clock is put forward or back.</summary>
    private static List<DateTimeOffset> Changes(TimeZoneInfo zone)
    {
        List<DateTimeOffset> changes = [];
        DateTimeOffset end = new(2035, 12, 31, 0, 0, 0, TimeSpan.Zero);
        for (DateTimeOffset day = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero); day < end; day = day.AddDays(1))
        {
            if (zone.GetUtcOffset(day) == zone.GetUtcOffset(day.AddDays(1)))
            {
                continue;
            }

            DateTimeOffset minute = day;
            while (zone.GetUtcOffset(minute) == zone.GetUtcOffset(minute.AddMinutes(1)))
            {
                minute = minute.AddMinutes(1);
            }

            changes.Add(minute.AddMinutes(1));
        }

        return changes;
    }
}
