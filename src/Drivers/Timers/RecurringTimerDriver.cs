using Cocaine.Fast.Core.Manifest;
using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>The recurring-timer driver: tick n is n intervals after the start, so no error adds up over a day. Jobs may overlap.</summary>
internal sealed class RecurringTimerDriver(DriverContext context) : TimerDriver(context)
{
    /// <summary>The driver's entry for manifests.</summary>
    public static DriverEntry Entry { get; } = new(
        "recurring-timer",
        [
            Interval,
            new("jitter", KeyKind.Milliseconds, "random delay of each tick, ms, at most the interval", "0"),
            ManifestKeys.RunOn("all"),
        ],
        static context => new RecurringTimerDriver(context))
    {
        Aliases = ["timed+auto"],
        Check = CheckJitter,
    };

    private long _intervalMs;
    private int _jitterMs;
    private long _startMs;
    private long _tick;     // the next tick, from 1

    /// <summary>The loop's time that ticks are counted from.</summary>
    public long StartMs => _startMs;

    protected override long? FirstDueMs => DueMs(_tick);

    protected override void Begin(long nowMs)
    {
        _intervalMs = Context.Task.GetLong("interval");
        _jitterMs = Context.Task.GetInt("jitter");
        if (_intervalMs < 1 || _jitterMs < 0 || _jitterMs > _intervalMs)
        {
            throw new FormatException($"an interval of {_intervalMs} ms with a jitter of {_jitterMs} ms: the interval is 1 or more, "
                + "and the jitter at most the interval");
        }

        _startMs = nowMs;
        _tick = 1;
    }

    protected override void OnDue(long nowMs)
    {
        SkipOlderThanGrace(nowMs);
        long due;
        do
        {
            TickCount++;
            MakeJob();
            due = DueMs(++_tick);
        }
        while (due <= nowMs); // the loop was held up: ticks are made up for, and none is lost

        CallAt(due);
    }

    protected override void AddFacts(Dictionary<string, object> facts) => facts["skipped"] = Monitor.Counts.TicksSkipped;

    /// <summary>
    /// After a long delay, the driver makes up for the ticks of the last seconds and for the newest one; it skips older ticks.
    /// </summary>
    private void SkipOlderThanGrace(long nowMs)
    {
        long newest = (nowMs - _startMs) / _intervalMs;
        long oldest = Math.Min(newest, (nowMs - GraceMs - _startMs + _intervalMs - 1) / _intervalMs);
        if (oldest > _tick)
        {
            TimerLog.Skipped(Context.Log, Context.Engine.Name, Context.Task.Name, oldest - _tick, GraceMs / 1000);
            Monitor.Counts.TicksSkipped += oldest - _tick;
            _tick = oldest;
        }
    }

    private static KeyMistake? CheckJitter(IReadOnlyDictionary<string, object> values) =>
        values.GetValueOrDefault("jitter") is long jitter && values.GetValueOrDefault("interval") is long interval && jitter > interval
            ? new KeyMistake("jitter", $"{jitter} is more than the interval of {interval}: ticks would overtake each other") : null;

    private long DueMs(long tick) => _startMs + (tick * _intervalMs) + (_jitterMs > 0 ? Random.Shared.NextInt64(_jitterMs + 1L) : 0);
}
