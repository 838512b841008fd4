using System.Security;
using System.Text;
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

    /// <summary>An H is tried with so many seeds: each of 31 days is among them but for one expression in half a million.</summary>
    private const int SeedsTried = 400;

    /// <summary>False when the time zones of the machine are not installed.</summary>
    public static bool HasZones => TimeZoneInfo.GetSystemTimeZones().Count > 1;

    /// <summary>The zones that the machine knows.</summary>
    public static IEnumerable<string> ZoneNames => TimeZoneInfo.GetSystemTimeZones().Select(zone => zone.Id);

    /// <summary>The text has the form of an expression; <see cref="Problem(string)"/> finds numbers that are out of range.</summary>
    public static bool IsFormed(string text)
    {
        string[] fields = Fields(text);
        return Names.Contains(text) || (fields.Length is 5 or 6 && fields.All(field => field.All(IsLetter)));
    }

    /// <summary>Reads an expression of 5 fields, or of 6 with the seconds first, or a name.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="seed">Decides which value an H stands for.</param>
    /// <param name="zone">The zone of its times.</param>
    /// <exception cref="FormatException">The text is no good expression.</exception>
    public static ZonedSchedule Parse(string text, int seed, TimeZoneInfo zone) => Problem(text, seed) is { } problem
        ? throw new FormatException($"the schedule '{text}': {problem}") : new ZonedSchedule(Read(text, seed), IsInterval(text), zone);

    /// <summary>The mistake in a well-formed expression, whatever its H stand for; null when it is good.</summary>
    public static string? Problem(string text)
    {
        int seeds = HasH(text) ? SeedsTried : 1;
        for (int seed = 0; seed < seeds; seed++)
        {
            if (Problem(text, seed) is { } problem)
            {
                return problem;
            }
        }

        return null;
    }

    /// <summary>
    /// The seed of a task: the same on each machine and in each run, and another one for other tasks. The function is FNV-1a.
    /// </summary>
    public static int SeedOf(string app, string task)
    {
        uint hash = 2166136261;
        foreach (byte one in Encoding.UTF8.GetBytes($"{app}:{task}"))
        {
            hash = (hash ^ one) * 16777619;
        }

        return (int)hash;
    }

    /// <summary>
    /// Both the day of the month and the day of the week of an expression are restricted: a date must match both.
    /// </summary>
    public static bool RestrictsBothDays(string text)
    {
        string[] fields = Fields(text);
        return fields.Length is 5 or 6 && fields[^3][0] is not ('*' or '?') && fields[^1][0] is not ('*' or '?');
    }

    /// <summary>
    /// An expression is for intervals when its second, minute or hour is a star, a step or a range; otherwise it is for times of day.
    /// </summary>
    public static bool IsInterval(string text)
    {
        if (text.StartsWith('@'))
        {
            return text is "@every_second" or "@every_minute" or "@hourly";
        }

        string[] fields = Fields(text);
        return fields[..^3].Any(field => field.Contains('/') || field.Contains('-') || field.Contains('*') || field.Contains('?'));
    }

    private static string? Problem(string text, int seed)
    {
        try
        {
            return Read(text, seed).GetNextOccurrence(Long, inclusive: true) is null ? "no date of any year matches it" : null;
        }
        catch (FormatException mistake)
        {
            return mistake.Message.Replace("The given cron expression has an invalid format. ", "", StringComparison.Ordinal);
        }
    }

    private static CronExpression Read(string text, int seed)
    {
        CronFormat format = Fields(text).Length == 6 ? CronFormat.IncludeSeconds : CronFormat.Standard;
        return HasH(text) ? CronExpression.Parse(text, format, seed) : CronExpression.Parse(text, format); // a seed would move @hourly
    }

    private static bool HasH(string text) => !text.StartsWith('@') && Fields(text).Any(field => field[0] is 'H' or 'h');

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
