namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// Decides which matches of a schedule are due, from a wall clock that may be held up, jump forward or jump back. No match is given twice,
/// whatever the clock does.
/// </summary>
/// <remarks>
/// The plan keeps the times whose matches have had their turn, as spans. A running clock makes the last span longer; a jump begins a new
/// span, so that matches that a jump forward passed over are not lost when the clock is put right again.
/// </remarks>
internal sealed class CronPlan
{
    /// <summary>The most spans: a clock that jumps more often has larger problems.</summary>
    private const int MaxSpans = 16;

    /// <summary>The most missed matches that are counted one by one; a clock can jump over millions.</summary>
    private const int MaxCounted = 10_000;

    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(TimerDriver.GraceMs);

    private readonly ZonedSchedule _schedule;
    private readonly bool _makesUp;
    private readonly List<Span> _decided = [];
    private DateTimeOffset _read;   // the last reading of the clock
    private DateTimeOffset? _next;  // the first match after that reading

    public CronPlan(ZonedSchedule schedule, bool makesUp, DateTimeOffset now)
    {
        _schedule = schedule;
        _makesUp = makesUp;
        _read = now;
        Begin(now);
        _next = NextAfter(now);
    }

    /// <summary>The next match; null when there is none in any year.</summary>
    public DateTimeOffset? Next => _next;

    /// <summary>Matches that were noticed too late to run at their time; for a long gap, only the counted ones.</summary>
    public long Missed { get; private set; }

    /// <summary>Takes a reading of the clock, and returns how many jobs to make now.</summary>
    public int Advance(DateTimeOffset now)
    {
        if (now < _read)
        {
            GoBack(now);
            return 0;
        }

        if (now - _read <= Grace && !(_next <= now))
        {
            GoOn(now); // the usual case
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

    /// <summary>The clock was put back: matches that it passes for the second time have had their turn already.</summary>
    private void GoBack(DateTimeOffset now)
    {
        _read = now;
        if (now < _decided[^1].From)
        {
            Begin(now);
        }

        _next = NextAfter(now);
    }

    /// <summary>Counts the matches up to <paramref name="until"/> that nobody noticed in time. False when there are none.</summary>
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
            // The job that makes up for missed matches belongs to this match, which must not come again when the clock goes back.
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

    /// <summary>The first match after a time that has not had its turn yet.</summary>
    private DateTimeOffset? NextAfter(DateTimeOffset time)
    {
        while (_schedule.After(time) is { } match)
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
