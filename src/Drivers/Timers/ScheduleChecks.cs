using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Core.Terminal;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>Finds the mistake in a schedule or a time zone of a manifest.</summary>
internal static class ScheduleChecks
{
    /// <summary>Checks a cron expression.</summary>
    public static TextMistake? Schedule(JsonTree value)
    {
        if (!Schedules.IsFormed(value.Text))
        {
            return new TextMistake(null, value.Text.StartsWith('@') ? Schedules.Names : []);
        }

        if (Schedules.Problem(value.Text) is { } problem)
        {
            return new TextMistake($"the schedule '{JsonPath.Shown(value.Text)}': {PlainText.OneLine(problem)}", []);
        }

        return Schedules.RestrictsBothDays(value.Text)
            ? new TextMistake(
                "both the day of the month and the day of the week are given: a date must match both. (crontab(5) runs on dates that match "
                + "either: for that use two tasks.)", [], IsWarning: true)
            : null;
    }

    /// <summary>Checks a time zone of the tz database.</summary>
    public static TextMistake? TimeZone(JsonTree value)
    {
        if (value.Text.Contains('\0'))
        {
            return new TextMistake(null, []);
        }

        if (Schedules.FindZone(value.Text) is not null)
        {
            return null;
        }

        return Schedules.HasZones ? new TextMistake(null, Schedules.ZoneNames)
            : new TextMistake(
                $"this machine knows no time zone but UTC, found {value.KindName}: as root, apt-get install tzdata", []);
    }
}
