using Cocaine.Fast.Core.Balancing;

namespace Cocaine.Fast.Client.Choosing;

/// <summary>A client's view of one node: its last news, the client's own calls, and the time until which it is avoided.</summary>
internal sealed class NodeNews
{
    private LoadReport _report = new(1, 0, 0, 0);
    private long? _reportedNs;
    private long _heardNs;
    private long _avoidedUntilNs = long.MinValue / 2;
    private int _sentSince;
    private bool _isClosed;  // the node takes no jobs, by its own word
    private bool _isMute;    // the node was silent when its last call was given up, and nothing was heard since

    /// <summary>The client's own calls that are not answered.</summary>
    public int InFlight { get; private set; }

    /// <summary>A call goes to the node.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public void OnSent(long nowNs)
    {
        if (InFlight++ == 0)
        {
            _heardNs = nowNs; // silence is counted from the first call on
        }

        _sentSince++;
    }

    /// <summary>A call was answered.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public void OnAnswered(long nowNs)
    {
        InFlight--;
        _isMute = false;
        _heardNs = nowNs;
    }

    /// <summary>A call ends here without an answer: its caller has given up, or its time is over.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public void OnGivenUp(long nowNs)
    {
        _isMute = IsSilent(nowNs);
        InFlight--;
    }

    /// <summary>The node told its load, by itself or with an answer. Impossible figures are not taken.</summary>
    /// <param name="report">The report.</param>
    /// <param name="nowNs">The time, ns.</param>
    public void OnReport(in LoadReport report, long nowNs)
    {
        _isMute = false;
        _heardNs = nowNs;
        if (report.IsPossible)
        {
            _report = report;
            _reportedNs = nowNs;
            _sentSince = 0;
        }
    }

    /// <summary>The node told whether it takes jobs.</summary>
    public void OnTakes(bool takesJobs) => _isClosed = !takesJobs;

    /// <summary>The node refused a call, which it did not run.</summary>
    /// <param name="nowNs">The time, ns.</param>
    /// <param name="retryAfterNs">The time that the node asks for, ns; null without one.</param>
    public void OnRefused(long nowNs, long? retryAfterNs) => Avoid(nowNs + (retryAfterNs ?? ChoiceLimits.RefusedNs));

    /// <summary>The connection was lost.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public void OnLost(long nowNs)
    {
        InFlight = 0;
        _isClosed = _isMute = false;
        Avoid(nowNs + ChoiceLimits.LostNs);
    }

    /// <summary>
    /// Whether other nodes are better, however loaded they are. A node that never told its load is not silent: it may be an older one.
    /// </summary>
    /// <param name="nowNs">The time, ns.</param>
    public bool IsAvoided(long nowNs) => _isClosed || nowNs < _avoidedUntilNs || IsSilent(nowNs);

    /// <summary>
    /// The node has calls and says nothing, although it tells its load otherwise. A call that may run twice may go to another one.
    /// </summary>
    /// <param name="nowNs">The time, ns.</param>
    public bool IsSilent(long nowNs) =>
        _isMute || (InFlight > 0 && _reportedNs is not null && nowNs - _heardNs > ChoiceLimits.SilenceNs);

    /// <summary>When a call that is sent now will be done, ns from now, as far as the client knows.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public double CompletionNs(long nowNs)
    {
        double jobs = Math.Max(InFlight, JobsNow(nowNs)), full = jobs / _report.Slots;
        double wait = full < 1 ? 0 : (full - 1 + (1.0 / _report.Slots)) * _report.MeanNs;
        return wait + (_report.MeanNs * (1 + (ChoiceLimits.FullnessCost * full)));
    }

    private double JobsNow(long nowNs)
    {
        if (_reportedNs is not { } reported)
        {
            return 0; // own calls alone count
        }

        double fresh = Math.Exp(-(nowNs - reported) / ChoiceLimits.FadeNs);
        return (fresh * _report.Jobs) + ((1 - fresh) * ChoiceLimits.UsualLoad * _report.Slots) + _sentSince;
    }

    private void Avoid(long untilNs) => _avoidedUntilNs = Math.Max(_avoidedUntilNs, untilNs);
}
