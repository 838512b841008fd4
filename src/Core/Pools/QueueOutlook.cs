using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Estimates how soon the queue will be empty, from the rate at which jobs ended recently. A slave that would be ready only after that time
/// is not worth its start.
/// </summary>
internal sealed class QueueOutlook(EngineScope scope)
{
    private const long HalfWindowNs = EngineLimits.OutlookWindowMs * 1_000_000L / 2;

    // The rate is measured since the older mark. While somebody asks, that mark is between half a window and one window old.
    private (long Ns, ulong Ended) _older, _newer;

    /// <summary>The first job begins to wait: from here on jobs end at full speed.</summary>
    public void Begin() => _older = _newer = Now;

    /// <summary>Time until so many waiting jobs will have ended, ms from now; long.MaxValue when no job has ended recently.</summary>
    public long ClearsInMs(int waiting)
    {
        (long Ns, ulong Ended) now = Now;
        if (now.Ns - _newer.Ns >= HalfWindowNs)
        {
            (_older, _newer) = (_newer, now);
        }

        ulong ended = now.Ended - _older.Ended;
        return ended == 0 ? long.MaxValue : (long)(waiting * ((now.Ns - _older.Ns) / 1e6) / ended);
    }

    private (long Ns, ulong Ended) Now => (scope.Loop.NowNs, scope.Counters.JobsDone + scope.Counters.JobsFailed);
}
