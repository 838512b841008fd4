using Cocaine.Fast.Drivers.Base;

namespace Cocaine.Fast.Drivers.Timers;

/// <summary>
/// The ticks of a schedule of which one node of a cluster makes the jobs: each is claimed before its job is made. Ticks that are late by
/// less than the grace are claimed one after the other, also those that another node should have made.
/// </summary>
/// <param name="singleton">The right to make the jobs.</param>
/// <param name="schedule">The schedule.</param>
/// <param name="makesUp">A job is made up for older ticks that no node made.</param>
internal sealed class ClaimedTicks(ISingleton singleton, ZonedSchedule schedule, bool makesUp)
{
    /// <summary>
    /// How often a node looks whether the right is its own: a take-over is late by so much at the most, which is little beside the wait
    /// for a holder that died.
    /// </summary>
    public const int LookMs = 250;

    /// <summary>The most ticks of a gap that are looked at for the newest one; a clock can jump over millions.</summary>
    private const int MostCounted = 10_000;

    private bool _isClaiming;
    private long _pausedMs = long.MinValue; // the last time at which the app was seen paused: ticks until then have had their turn

    /// <summary>The next tick; null when there is none in any year.</summary>
    /// <param name="now">The present time.</param>
    public DateTimeOffset? Next(DateTimeOffset now) => schedule.After(now);

    /// <summary>Claims a tick that is due; false when there is none, or when this node has not the right.</summary>
    /// <param name="now">The present time.</param>
    /// <param name="isPaused">The app takes no jobs.</param>
    /// <param name="then">Called once, at the claim's end: with the term and the tick when a job is to be made, else with 0.</param>
    public bool TryClaim(DateTimeOffset now, bool isPaused, Action<long, long> then)
    {
        long nowMs = now.ToUnixTimeMilliseconds();
        _pausedMs = isPaused ? nowMs : _pausedMs;
        if (_isClaiming || isPaused || !singleton.MayFire)
        {
            return false;
        }

        // The first holder claims a time without a job: from it on the next holder knows which ticks are to be made up.
        bool isFirst = singleton.ClaimedMs is null;
        if ((isFirst ? nowMs : Due(now, nowMs)) is not { } due)
        {
            return false;
        }

        _isClaiming = true;
        singleton.Claim(due, term =>
        {
            _isClaiming = false;
            then(isFirst ? 0 : term, due);
        });
        return true;
    }

    private long? Due(DateTimeOffset now, long nowMs)
    {
        long afterMs = Math.Max(singleton.AfterMs(nowMs), _pausedMs);
        if (schedule.After(DateTimeOffset.FromUnixTimeMilliseconds(afterMs)) is { } match && match <= now)
        {
            return match.ToUnixTimeMilliseconds();
        }

        return makesUp && Math.Max(singleton.ClaimedMs!.Value, _pausedMs) is var claimedMs && claimedMs < afterMs
            ? NewestIn(claimedMs, afterMs) : null;
    }

    private long? NewestIn(long afterMs, long untilMs)
    {
        long? newest = null;
        DateTimeOffset? match = schedule.After(DateTimeOffset.FromUnixTimeMilliseconds(afterMs));
        for (int i = 0; i < MostCounted && match is { } one && one.ToUnixTimeMilliseconds() <= untilMs; i++)
        {
            newest = one.ToUnixTimeMilliseconds();
            match = schedule.After(one);
        }

        return newest;
    }
}
