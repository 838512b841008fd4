using Cronos;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// Which matches of a schedule are due, by what a wall clock shows that may be held up, jump forward and jump back. No match is given
/// twice, whatever the clock does.
/// </summary>
/// <remarks>
/// Kept is over which times matches have had their turn, as spans. The clock that goes on makes the last span longer; a jump begins a new
/// one, so that matches that a jump forward passed over are not lost when the clock is put right again.
/// </remarks>
internal sealed class CronPlan
{
    /// <summary>Spans kept: a clock that has jumped oftener than this has larger worries.</summary>
    private const int MaxSpans = 16;

    /// <summary>Missed matches that are counted one by one; a clock can jump over millions.</summary>
    private const int MaxCounted = 10_000;

    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(TimerDriver.GraceMs);

    private readonly CronExpression _schedule;
    private readonly TimeZoneInfo _zone;
    private readonly bool _makesUp;
    private readonly List<Span> _decided = [];
    private DateTimeOffset _read;   // what the clock showed last
    private DateTimeOffset? _next;  // the first match after that

    public CronPlan(CronExpression schedule, TimeZoneInfo zone, bool makesUp, DateTimeOffset now)
    {
        _schedule = schedule;
        _zone = zone;
        _makesUp = makesUp;
        _read = now;
        Begin(now);
        _next = NextAfter(now);
    }

    /// <summary>The next match; null when there is none in any year.</summary>
    public DateTimeOffset? Next => _next;

    /// <summary>Matches that were noticed too late to be run at their time; of a long gap, as many as were counted.</summary>
    public long Missed { get; private set; }

    /// <summary>The clock has been read: says how many jobs are to be made now.</summary>
    public int Advance(DateTimeOffset now)
    {
        if (now < _read)
        {
            GoBack(now);
            return 0;
        }

        if (now - _read <= Grace && !(_next <= now))
        {
            GoOn(now); // the usual look
            return 0;
        }

        DateTimeOffset from = _read;
        bool owed = false;
        if (now - _read > Grace)
        {
            from = now - Grace;
            owed = Miss(from) && _makesUp;
        }

        int due = 0;
        for (DateTimeOffset? match = NextAfter(from); match <= now; match = NextAfter(match.Value))
        {
            due++;
        }

        GoOn(now);
        _next = NextAfter(now);
        return due == 0 && owed ? 1 : due;
    }

    private void GoOn(DateTimeOffset now)
    {
        Span last = _decided[^1];
        if (last.To < now)
        {
            _decided[^1] = last with { To = now };
        }

        _read = now;
    }

    /// <summary>The clock was put back: what it passes for the second time has had its turn already.</summary>
    private void GoBack(DateTimeOffset now)
    {
        _read = now;
        if (now < _decided[^1].From)
        {
            Begin(now);
        }

        _next = NextAfter(now);
    }

    /// <summary>Counts the matches up to <paramref name="until"/>, which nobody noticed in time. False when there are none.</summary>
    private bool Miss(DateTimeOffset until)
    {
        int count = 0;
        DateTimeOffset newest = default;
        for (DateTimeOffset? match = NextAfter(_read); match <= until && count < MaxCounted; match = NextAfter(match.Value))
        {
            newest = match.Value;
            count++;
        }

        Missed += count;
        Begin(until);
        if (count > 0 && _makesUp)
        {
            // The job that makes up is this match's: it must not come again when the clock goes back.
            _decided.Insert(_decided.Count - 1, new Span(newest.AddTicks(-1), newest));
        }

        return count > 0;
    }

    private void Begin(DateTimeOffset at)
    {
        if (_decided.Count >= MaxSpans)
        {
            _decided.RemoveAt(0);
        }

        _decided.Add(new Span(at, at));
    }

    /// <summary>The first match after a time that has not had its turn.</summary>
    private DateTimeOffset? NextAfter(DateTimeOffset time)
    {
        while (_schedule.GetNextOccurrence(time, _zone) is { } match)
        {
            int decided = _decided.FindIndex(span => span.From < match && match <= span.To);
            if (decided < 0)
            {
                return match;
            }

            time = _decided[decided].To;
        }

        return null;
    }

    /// <summary>The times after From, up to To.</summary>
    private readonly record struct Span(DateTimeOffset From, DateTimeOffset To);
}
