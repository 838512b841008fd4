namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// Counts for how long a loop has listened to its peers. A loop that comes back from its wait, or from its own work, much later than it
/// meant to has heard nobody meanwhile: its process was stopped, swapped out or starved, or a handler took too long. That time is not
/// the peers' silence, and it does not count.
/// </summary>
/// <remarks>The loop's thread alone uses it.</remarks>
internal sealed class ListeningClock(long nowNs)
{
    /// <summary>
    /// Delays up to here count as listening: what a busy machine's scheduler adds to every wait. A longer one is left out as a whole.
    /// </summary>
    private const long MinStallNs = 20_000_000;

    private long _lookedNs = nowNs;    // when the loop looked last
    private long _expectedNs = nowNs;  // when it means to look again at the latest
    private long _missedNs;            // its own work since the last look, when that took too long
    private long _stalledNs;           // all time in which it did not listen

    /// <summary>Ms for which the loop has listened, on the scale of the clock that <paramref name="nowNs"/> is of.</summary>
    public long ListenedMs(long nowNs) => ListenedNs(nowNs) / 1_000_000;

    /// <summary>The same in ns.</summary>
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

    /// <summary>The loop looks at its peers again. Returns for how long it did not, ns; 0 when it came in time.</summary>
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
