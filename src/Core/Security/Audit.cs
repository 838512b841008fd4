using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The log of refused callers and of control, one line each. Entries that repeat one within ten seconds are counted into one line, so that
/// a flood does not fill the log. Any thread.
/// </summary>
internal sealed class Audit(ILogger log, TimeProvider time)
{
    /// <summary>The time in which repeats are counted, s.</summary>
    public const int PeriodS = 10;

    /// <summary>
    /// The most different entries of a period that are told apart: the log has a line for each, and further ones are counted.
    /// </summary>
    private const int MaxKept = 1024;

    private readonly Lock _lock = new();                      // held for the moment of a look-up
    private readonly Dictionary<Kind, Repeats> _recent = [];  // entries of the present period
    private ITimer? _timer;                                   // ends the period; null until the first entry
    private long _denied;
    private long _beyond;                                     // entries of the period that were not told apart

    /// <summary>Refusals since the start.</summary>
    public long Denied => Volatile.Read(ref _denied);

    /// <summary>A caller was refused.</summary>
    public void Deny(in AuditEntry entry)
    {
        Interlocked.Increment(ref _denied);
        if (IsFirst(in entry, denied: true))
        {
            AuditLine.Denied(log, in entry);
        }
    }

    /// <summary>A caller did something that is always recorded.</summary>
    public void Allow(in AuditEntry entry)
    {
        if (IsFirst(in entry, denied: false))
        {
            AuditLine.Allowed(log, in entry);
        }
    }

    /// <summary>A connection was closed, because the rules of now do not know its caller.</summary>
    public void Close(in AuditEntry entry) => AuditLine.Closed(log, in entry);

    /// <summary>Writes the counts of the present period.</summary>
    public void EndPeriod()
    {
        List<(AuditEntry First, bool Denied, long Times)> repeated;
        long beyond;
        lock (_lock)
        {
            repeated = [.. _recent.Where(pair => pair.Value.Times > 1)
                .Select(pair => (pair.Value.First, pair.Key.IsDenied, pair.Value.Times - 1))];
            beyond = _beyond;
            _beyond = 0;
            _recent.Clear();
        }

        foreach ((AuditEntry first, bool denied, long times) in repeated)
        {
            AuditLine.Repeated(log, in first, denied, times, PeriodS);
        }

        if (beyond > 0)
        {
            AuditLog.Beyond(log, beyond, PeriodS);
        }
    }

    private bool IsFirst(in AuditEntry entry, bool denied)
    {
        string app = entry.Means == AuditEntry.NoMeans ? "" : entry.App; // a stranger may invent names of apps
        Kind kind = new(denied, entry.Caller, entry.Door, entry.Action, app, entry.Cause);
        lock (_lock)
        {
            if (_recent.TryGetValue(kind, out Repeats? known))
            {
                known.Times++;
                return false;
            }

            if (_recent.Count >= MaxKept)
            {
                _beyond++;
                return false;
            }

            if (_recent.Count == 0)
            {
                _timer ??= time.CreateTimer(_ => EndPeriod(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
                _timer.Change(TimeSpan.FromSeconds(PeriodS), Timeout.InfiniteTimeSpan);
            }

            _recent.Add(kind, new Repeats(entry));
            return true;
        }
    }

    private readonly record struct Kind(bool IsDenied, string Caller, string Door, string Action, string App, string Cause);

    private sealed class Repeats(AuditEntry first)
    {
        public AuditEntry First => first;

        public long Times { get; set; } = 1;
    }
}

