namespace Cocaine.Fast.Core.Security;

/// <summary>
/// The bound on the calls of an identity: so many a second, over all loops, and as many at once after a second of silence. Any thread; a
/// call takes one atomic exchange and no lock.
/// </summary>
/// <param name="callsPerSecond">The bound, 1 or more.</param>
internal sealed class CallRate(int callsPerSecond)
{
    private const long NsPerS = 1_000_000_000;

    private readonly long _intervalNs = NsPerS / callsPerSecond;
    private long _nextNs; // the time at which the calls so far would be due if they were evenly spread

    /// <summary>True when one more call is within the bound.</summary>
    /// <param name="nowNs">The time by a monotonic clock, which all callers share.</param>
    public bool TryTake(long nowNs)
    {
        while (true)
        {
            // The exchange below is the only write, so the read may be old: then the exchange fails, and the loop reads again.
            long next = Volatile.Read(ref _nextNs);
            long from = Math.Max(next, nowNs);
            if (from - nowNs > NsPerS - _intervalNs)
            {
                return false;
            }

            if (Interlocked.CompareExchange(ref _nextNs, from + _intervalNs, next) == next)
            {
                return true;
            }
        }
    }
}
