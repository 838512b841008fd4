using Cocaine.Fast.Core.Jobs;
using Cocaine.Fast.Core.Slaves;

namespace Cocaine.Fast.Core.Pools;

/// <summary>
/// Estimates how soon the queue will be empty, from the rate at which jobs ended recently. A slave that would be ready only after that time
/// is not worth its start.
/// </summary>
internal sealed class QueueOutlook(EngineScope scope, SlaveRoster roster, int cores)
{
    private const long HalfWindowNs = EngineLimits.OutlookWindowMs * 1_000_000L / 2;

    // The rate is measured since the older mark. While somebody asks, that mark is between half a window and one window old.
    private (long Ns, ulong Ended) _older, _newer;

    private double _jobsPerNs;  // of all slaves, in the turn of _rateNs
    private long _rateNs = -1;

    /// <summary>
    /// As many slaves as cores have just ended jobs that take next to no time. Such jobs wait for nothing but a core, and another slave
    /// would bring none.
    /// </summary>
    public bool IsBoundByCores()
    {
        int quick = 0;
        foreach (Slave slave in roster.Slaves)
        {
            quick += slave.Ahead.IsQuick(scope.Loop.NowNs) ? 1 : 0;
        }

        return quick >= cores;
    }

    /// <summary>
    /// How long the last of so many jobs waits, ns, by the pace at which the slaves have ended jobs; long.MaxValue when nothing is known.
    /// </summary>
    public long WaitNs(int waiting)
    {
        if (scope.Loop.NowNs != _rateNs)
        {
            _rateNs = scope.Loop.NowNs;
            _jobsPerNs = 0;
            foreach (Slave slave in roster.Slaves)
            {
                _jobsPerNs += slave.Ahead.KnowsPace ? 1.0 / Math.Max(1, slave.Ahead.PerJobNs) : 0;
            }
        }

        return _jobsPerNs == 0 ? long.MaxValue : (long)(waiting / _jobsPerNs);
    }

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
