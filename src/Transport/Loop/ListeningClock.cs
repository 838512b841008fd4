namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Counts for how long a loop has listened to its peers. A loop that comes back from its wait, or from its own work, much later than
/// planned has heard no peer meanwhile: its process was stopped, swapped out or starved, or a handler took too long. This delay is not the
/// peers' silence, and it does not count.
/// </summary>
/// <remarks>Only the loop's thread uses it.</remarks>
internal sealed class ListeningClock(long nowNs)
{
    /// <summary>
    /// Delays up to this bound count as listening: a busy machine's scheduler adds them to every wait. A longer delay is left out as a
    /// whole.
    /// </summary>
    private const long MinStallNs = 20_000_000;

    private long _lookedNs = nowNs;    // the loop's last look at its peers
    private long _expectedNs = nowNs;  // the latest time at which the loop plans to look again
    private long _missedNs;            // the loop's own work since the last look, when it took too long
    private long _stalledNs;           // all time in which the loop did not listen

    /// <summary>Time for which the loop has listened, ms, on the scale of the clock of <paramref name="nowNs"/>.</summary>
    public long ListenedMs(long nowNs) => ListenedNs(nowNs) / 1_000_000;

    /// <summary>Time for which the loop has listened, ns.</summary>
    public long ListenedNs(long nowNs) => nowNs - _stalledNs;

    /// <summary>The loop has done its work and is about to wait.</summary>
    public void OnWorked(long nowNs)
    {
        long busyNs = nowNs - _lookedNs;
        if (busyNs > MinStallNs)
        {
            _missedNs += busyNs;
            _stalledNs += busyNs;
        }

        _expectedNs = _lookedNs = nowNs;
    }

    /// <summary>The loop waits for at most so long from now on.</summary>
    public void OnWait(long timeoutNs) => _expectedNs += timeoutNs;

    /// <summary>The loop looks at its peers again. Returns the time without a look, ns; 0 when the loop came in time.</summary>
    public long OnLook(long nowNs)
    {
        long lateNs = nowNs - _expectedNs;
        if (lateNs > MinStallNs)
        {
            _missedNs += lateNs;
            _stalledNs += lateNs;
        }

        long missedNs = _missedNs;
        _missedNs = 0;
        _lookedNs = _expectedNs = nowNs;
        return missedNs;
    }
}
