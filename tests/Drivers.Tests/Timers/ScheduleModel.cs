namespace Cocaine.Fast.Drivers.Tests.Timers;

/// <summary>Finds the matches of a schedule by walking through all minutes.</summary>
internal static class ScheduleModel
{
    /// <summary>
    /// A minute counts when its local time matches; of a repeated hour the first one, if the schedule is for a time of day; and the first
    /// minute after a gap stands for those in the gap.
    /// </summary>
    public static List<DateTimeOffset> Expected(
        TimeZoneInfo zone, DateTimeOffset start, DateTimeOffset end, Func<DateTime, bool> matches, bool runsThroughRepeatedHours)
    {
        List<DateTimeOffset> expected = [];
        HashSet<DateTime> seen = [];
        DateTimeOffset minute = new(start.Year, start.Month, start.Day, start.Hour, start.Minute, 0, TimeSpan.Zero);
        DateTime before = TimeZoneInfo.ConvertTime(minute, zone).DateTime;
        for (minute = minute.AddMinutes(1); minute < end; minute = minute.AddMinutes(1))
        {
            DateTime local = TimeZoneInfo.ConvertTime(minute, zone).DateTime;
            bool isIt = false;
            for (DateTime passed = before.AddMinutes(1); passed < local; passed = passed.AddMinutes(1))
            {
                isIt |= matches(passed);
            }

            bool isFirst = seen.Add(local);
            if (isIt || (matches(local) && (isFirst || runsThroughRepeatedHours)))
            {
                expected.Add(minute);
            }

            before = local;
        }

        return expected;
    }
}
