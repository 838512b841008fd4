using System.Globalization;

namespace Cocaine.Fast.Host.Views;

/// <summary>Moments and durations in the usual form for people.</summary>
internal static class When
{
    /// <summary>
    /// A moment in local time: the time of day for today, otherwise with its date, and with its year when that is another one. In a file it
    /// always has its date, because a file is read on another day.
    /// </summary>
    public static string Moment(DateTimeOffset time, Screen screen, bool withMilliseconds = true) =>
        Moment(time.ToLocalTime(), DateTimeOffset.Now, screen.IsTerminal, withMilliseconds);

    /// <summary>A moment as seen from another moment; both are local times.</summary>
    public static string Moment(DateTimeOffset time, DateTimeOffset now, bool isShort, bool withMilliseconds)
    {
        string date = isShort && time.Date == now.Date ? "" : isShort && time.Year == now.Year ? "MM-dd " : "yyyy-MM-dd ";
        return time.ToString(date + (withMilliseconds ? "HH:mm:ss.fff" : "HH:mm:ss"), CultureInfo.InvariantCulture);
    }

    /// <summary>A duration with three digits: 1.23 µs, 45.6 ms, 2.35 s; from a minute on 3m 12s, 2h 05m, 4d 07h.</summary>
    public static string Span(double ns)
    {
        if (ns <= 0)
        {
            return "0 s";
        }

        (double value, string unit) = ns switch
        {
            < 999_500 => (ns / 1e3, "µs"),
            < 999_500_000 => (ns / 1e6, "ms"),
            _ => (ns / 1e9, "s"),
        };
        if (unit == "s" && value >= 59.95)
        {
            return Long(TimeSpan.FromSeconds(Math.Min(Math.Round(value), 1e9)));
        }

        string digits = value switch
        {
            < 9.995 => "0.00",
            < 99.95 => "0.0",
            _ => "0",
        };
        return FormattableString.Invariant($"{value.ToString(digits, CultureInfo.InvariantCulture)} {unit}");
    }

    /// <summary>A duration as text; empty when there is none.</summary>
    public static string SpanOrEmpty(long? ns) => ns is { } known ? Span(known) : "";

    private static string Long(TimeSpan time) => time switch
    {
        { TotalHours: < 1 } => FormattableString.Invariant($"{time.Minutes}m {time.Seconds:00}s"),
        { TotalDays: < 1 } => FormattableString.Invariant($"{time.Hours}h {time.Minutes:00}m"),
        _ => FormattableString.Invariant($"{(int)time.TotalDays}d {time.Hours:00}h"),
    };
}
