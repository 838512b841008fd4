using Cocaine.Fast.Core.Jobs;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// How soon the queue will be empty, at the speed of recent jobs: a slave that would be ready only then is not worth its start.
/// </summary>
internal sealed class QueueOutlook(EngineScope scope)
{
    private const long HalfWindowNs = EngineLimits.OutlookWindowMs * 1_000_000L / 2;

    // The speed is that since the older mark, which is half a window to a window old while somebody asks.
    private (long Ns, ulong Ended) _older, _newer;

    /// <summary>The first job begins to wait: from here on jobs end as fast as they can.</summary>
    public void Begin() => _older = _newer = Now;

    /// <summary>When so many jobs that wait will have ended, ms from now; long.MaxValue when none has ended recently.</summary>
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
