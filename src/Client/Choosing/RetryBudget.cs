namespace Cocaine.Fast.Client.Choosing;

/// <summary>
/// Bounds the retries of a client by the number of its calls: in an outage retries must not become the load that keeps the outage up.
/// </summary>
/// <param name="nowNs">The time of the start, ns.</param>
internal sealed class RetryBudget(long nowNs)
{
    private double _left = ChoiceLimits.RetriesPerSecond;
    private long _filledNs = nowNs;

    /// <summary>A first try of a call.</summary>
    public void OnCall() => _left = Math.Min(_left + ChoiceLimits.RetriesPerCall, ChoiceLimits.MostRetries);

    /// <summary>Takes one retry out of the budget; false when it is spent, and then the call fails as it is.</summary>
    /// <param name="nowNs">The time, ns.</param>
    public bool TryRetry(long nowNs)
    {
        double seconds = Math.Max(0, nowNs - _filledNs) / 1e9;
        _filledNs = Math.Max(_filledNs, nowNs);
        _left = Math.Min(_left + (seconds * ChoiceLimits.RetriesPerSecond), ChoiceLimits.MostRetries);
        if (_left < 1)
        {
            return false;
        }

        _left--;
        return true;
    }
}
