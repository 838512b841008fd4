using Cronos;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// The moments at which a cron expression matches in a time zone. The library finds matches on a clock face without a zone; this class
/// turns them into moments by the zone's offset from UTC, which every zone has at every moment.
/// </summary>
/// <remarks>
/// Where the zone's clock is put forward, times that the clock jumps over match at the moment of the jump. Where the clock is put back, an
/// expression for a time of day matches in the first pass of the repeated time only, and one for intervals in both. The library's own
/// conversion gives the same moment again and again in zones whose winter time is the exception.
/// </remarks>
/// <param name="expression">The expression.</param>
/// <param name="isInterval">The expression is for intervals, not for times of day.</param>
/// <param name="zone">The zone.</param>
internal sealed class ZonedSchedule(CronExpression expression, bool isInterval, TimeZoneInfo zone)
{
    /// <summary>The most that a zone changes its clock at once: a day, where a country moves over the date line, and some hours.</summary>
    private static readonly TimeSpan MostChange = TimeSpan.FromHours(26);

    /// <summary>Changes of a clock are further apart.</summary>
    private static readonly TimeSpan Step = TimeSpan.FromMinutes(30);

    /// <summary>
    /// Steps of one search at most: each goes on by a day at least, or over one change of the clock. The library's years end long before.
    /// </summary>
    private const int MostSteps = 100_000;

    /// <summary>The first match after a moment; null when there is none in any year.</summary>
    public DateTimeOffset? After(DateTimeOffset moment)
    {
        DateTime at = moment.UtcDateTime;
        Face face = FaceAt(at);
        for (int i = 0; i < MostSteps; i++)
        {
            if (expression.GetNextOccurrence(face.Time, face.IsInclusive) is not { } match)
            {
                return null;
            }

            if (match < face.Time || (match == face.Time && !face.IsInclusive))
            {
                face = face with { Time = face.Time.AddMinutes(1) }; // a library that does not go on must not keep the loop here
                continue;
            }

            DateTime candidate = match - face.Offset;
            DateTime near = at + MostChange;
            DateTime until = candidate < near ? candidate : near;
            if (ChangeIn(at, until) is not { } change)
            {
                if (candidate <= near)
                {
                    return new DateTimeOffset(candidate, TimeSpan.Zero);
                }

                // Nothing matches between here and the match on the clock's face: its changes are of interest only near to it.
                DateTime far = candidate - MostChange - MostChange;
                at = far > near ? far : near;
                TimeSpan offset = zone.GetUtcOffset(at);
                face = new Face(at + offset, offset, IsInclusive: false);
                continue;
            }

            if (candidate < change)
            {
                return new DateTimeOffset(candidate, TimeSpan.Zero);
            }

            TimeSpan after = zone.GetUtcOffset(change);
            if (match < change + after)
            {
                return new DateTimeOffset(change, TimeSpan.Zero); // the clock jumps over the match
            }

            // Of a repeated time an expression for times of day has had its match.
            TimeSpan begin = isInterval || after > face.Offset ? after : face.Offset;
            face = new Face(change + begin, after, IsInclusive: true);
            at = change;
        }

        return null;
    }

    /// <summary>The clock's face at a moment, or the place from which on matches count when the clock shows a time again.</summary>
    private Face FaceAt(DateTime at)
    {
        TimeSpan offset = zone.GetUtcOffset(at);
        Face face = new(at + offset, offset, IsInclusive: false);
        if (isInterval)
        {
            return face;
        }

        for (DateTime from = at - MostChange; ChangeIn(from, at) is { } change; from = change)
        {
            DateTime repeatedUntil = change + zone.GetUtcOffset(change.AddTicks(-1));
            if (face.Time < repeatedUntil)
            {
                face = new Face(repeatedUntil, offset, IsInclusive: true);
            }
        }

        return face;
    }

    /// <summary>The first moment after one, up to another one, at which the clock is put forward or back; null for none.</summary>
    private DateTime? ChangeIn(DateTime from, DateTime to)
    {
        TimeSpan offset = zone.GetUtcOffset(from);
        for (DateTime before = from; before < to;)
        {
            DateTime next = before + Step < to ? before + Step : to;
            if (zone.GetUtcOffset(next) != offset)
            {
                while ((next - before).Ticks > 1)
                {
                    DateTime middle = before + ((next - before) / 2);
                    (before, next) = zone.GetUtcOffset(middle) == offset ? (middle, next) : (before, middle);
                }

                return next;
            }

            before = next;
        }

        return null;
    }

    /// <summary>A place on the clock's face; the kind of the time is UTC, because the library knows no zone here.</summary>
    private readonly record struct Face(DateTime Time, TimeSpan Offset, bool IsInclusive);
}
