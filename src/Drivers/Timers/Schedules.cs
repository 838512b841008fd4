using System.Security;
using Cronos;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>Cron expressions and time zones, as manifests name them.</summary>
internal static class Schedules
{
    /// <summary>Expressions with names.</summary>
    public static readonly IReadOnlyList<string> Names =
        ["@every_second", "@every_minute", "@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

    /// <summary>
    /// The start of a search: every date falls on every weekday in the 28 years after it, so a schedule without a match in them has none.
    /// </summary>
    private static readonly DateTime Long = new(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    /// <summary>False when the time zones of the machine are not installed.</summary>
    public static bool HasZones => TimeZoneInfo.GetSystemTimeZones().Count > 1;

    /// <summary>The zones that the machine knows.</summary>
    public static IEnumerable<string> ZoneNames => TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id);

    /// <summary>The text has the form of an expression; <see cref="Problem"/> finds numbers that are out of range.</summary>
    public static bool IsFormed(string text)
    {
        string[] fields = Fields(text);
        return Names.Contains(text) || (fields.Length is 5 or 6 && fields.All(field => field.All(IsLetter)));
    }

    /// <summary>Reads an expression of 5 fields, or of 6 with the seconds first, or a name.</summary>
    /// <exception cref="CronFormatException">The text is no cron expression.</exception>
    public static CronExpression Parse(string text) =>
        CronExpression.Parse(text, Fields(text).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard);

    /// <summary>The mistake in a well-formed expression; null when it is good.</summary>
    public static string? Problem(string text)
    {
        try
        {
            return Parse(text).GetNextOccurrence(Long, inclusive: true) is null ? "no date of any year matches it" : null;
        }
        catch (CronFormatException mistake)
        {
            return mistake.Message.Replace("The given cron expression has an invalid format. ", "", StringComparison.Ordinal);
        }
    }

    /// <summary>A zone by its name in the tz database; null when the machine does not know it.</summary>
    public static TimeZoneInfo? FindZone(string name)
    {
        if (!name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '/' or '_' or '+' or '-'))
        {
            return null; // zone names are file names
        }

        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception unknown) when (unknown is TimeZoneNotFoundException or InvalidTimeZoneException or SecurityException
            or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string[] Fields(string text) => text.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);

    private static bool IsLetter(char letter) => char.IsAsciiLetterOrDigit(letter) || "*,-/?#".Contains(letter);
}
