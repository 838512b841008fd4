using Cocaine.Fast.Cluster.Rollouts;

namespace Cocaine.Fast.Node.Cluster;

/// <summary>The part of an app's jobs on this node that speaks against its version, now and before. From one thread at a time.</summary>
internal sealed class JobShare
{
    /// <summary>The time before a change that the new version is compared with, ms.</summary>
    private const long WindowMs = 60_000;

    /// <summary>The time between two samples, ms: twelve of them are kept.</summary>
    private const long StepMs = 5_000;

    private readonly Queue<(long AtMs, long Others, long Failed)> _samples = new();
    private long? _made;      // the manifest whose jobs are counted
    private long _lastMs;     // of the newest sample
    private long _others, _failed; // the counts when it was first seen to have taken over
    private (long Others, long Failed) _last; // the counts at the last look: those at a change have jobs of the new manifest already
    private double _beforePercent;

    /// <summary>The jobs since the manifest took over, and the share of failed ones before, percent.</summary>
    /// <param name="made">The generation of the manifest that runs.</param>
    /// <param name="others">All jobs that ended in another way, since the app's start.</param>
    /// <param name="failed">All jobs that ended in 500, 502 or 504.</param>
    /// <param name="nowMs">The time of this node's own clock, ms.</param>
    public (long Others, long Failed, double BeforePercent) Of(long made, long others, long failed, long nowMs)
    {
        bool isAnew = others < _others || failed < _failed; // the app has ended and begun again, and its counts too
        if (made != _made || isAnew)
        {
            _beforePercent = _made is null || isAnew ? 0 : PercentOf(_last.Others, _last.Failed);
            (_made, _others, _failed) = isAnew ? (made, 0, 0) : (made, others, failed);
            _samples.Clear();
        }

        _last = (others, failed);
        if (_samples.Count == 0 || nowMs - _lastMs >= StepMs)
        {
            _samples.Enqueue((nowMs, others, failed));
            _lastMs = nowMs;
        }

        while (_samples.TryPeek(out (long AtMs, long Others, long Failed) oldest) && nowMs - oldest.AtMs > WindowMs)
        {
            _samples.Dequeue();
        }

        return (others - _others, failed - _failed, _beforePercent);
    }

    /// <summary>The share from the oldest sample to these counts; few jobs say nothing.</summary>
    private double PercentOf(long others, long failed)
    {
        if (!_samples.TryPeek(out (long AtMs, long Others, long Failed) oldest))
        {
            return 0;
        }

        long bad = failed - oldest.Failed, all = others - oldest.Others + bad;
        return all < Rollout.FewestJobsToJudge ? 0 : 100.0 * bad / all;
    }
}
