using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Cluster.Forwarding;

/// <summary>The load of an app on a peer: its last report, and the jobs that were sent to it since.</summary>
internal sealed class PeerLoad
{
    private LoadReport _report;
    private long _reportedNs = long.MinValue / 2;
    private int _sentSince;
    private bool _isFull;

    /// <summary>Whether the peer takes jobs of the app at all: running, not paused, not draining, its link open.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>A report came, by itself or with an answer. Impossible figures are not taken.</summary>
    /// <param name="report">The report.</param>
    /// <param name="nowNs">The time of this node's own clock, ns.</param>
    public void OnReport(in LoadReport report, long nowNs)
    {
        if (report.IsPossible)
        {
            _report = report;
            _reportedNs = nowNs;
            _sentSince = 0;
            _isFull = false;
        }
    }

    /// <summary>A job was sent to the peer.</summary>
    public void OnSent() => _sentSince++;

    /// <summary>The peer refused a job: it counts as full until its next report.</summary>
    public void OnRefused() => _isFull = true;

    /// <summary>Whether a job may be sent to the peer.</summary>
    /// <param name="nowNs">The time of this node's own clock, ns.</param>
    public bool IsEligible(long nowNs) => IsOpen && !_isFull && nowNs - _reportedNs <= ForwardLimits.OldestReportNs;

    /// <summary>How long a job that is sent now will wait there, ns.</summary>
    public long WaitNs => ExpectedWait.Ns(_report.Jobs + _sentSince, _report.Slots, _report.MeanNs);
}
