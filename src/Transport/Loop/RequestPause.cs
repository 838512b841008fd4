using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Transport.Loop;

/// <summary>
/// A slave has no room for more: the loop leaves further requests where they are, in the sockets, until the slave rings, for a millisecond
/// at most. There they cost nothing, and their callers wait no longer than for the node's memory. Lives on a loop's thread.
/// </summary>
internal sealed class RequestPause
{
    /// <summary>A busy slave reads its ring in less time, and nobody else notices it.</summary>
    private const long MostNs = 1_000_000;

    private long _untilNs; // valid while the pause is on; 0 until the loop first waits in it

    /// <summary>Requests are left where they are.</summary>
    public bool IsOn { get; private set; }

    /// <summary>A slave has got more than it has room for.</summary>
    public void Begin()
    {
        if (!IsOn)
        {
            IsOn = true;
            _untilNs = 0;
        }
    }

    /// <summary>The slave has room again.</summary>
    public void End() => IsOn = false;

    /// <summary>The loop is about to wait. True when the pause goes on, which bounds the wait.</summary>
    public bool GoesOn(ref long timeoutNs)
    {
        if (!IsOn)
        {
            return false;
        }

        long now = Clock.NowNs;
        _untilNs = _untilNs == 0 ? now + MostNs : _untilNs;
        IsOn = now < _untilNs;
        timeoutNs = IsOn ? Math.Min(timeoutNs, _untilNs - now) : timeoutNs;
        return IsOn;
    }
}
