using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// Opens a driver after the one that it takes the place of has closed, where the two cannot be open at once. A port is not free in the very
/// moment in which its socket was closed, so it is tried for a while.
/// </summary>
/// <param name="open">Opens the driver; gives the failure, or null when it is open.</param>
/// <param name="loop">The app's loop.</param>
/// <param name="ended">Called once, unless it is cancelled: with the last failure, or null when the driver is open.</param>
internal sealed class LateOpening(Func<Exception?> open, EventLoop loop, Action<Exception?> ended) : WheelTimer
{
    /// <summary>For 10 s: ZeroMQ closes a socket in a few ms; what holds a port longer is another program.</summary>
    private const int PauseMs = 50, MaxTries = 200;

    private int _tries;

    /// <summary>The predecessor has closed: tries from now on.</summary>
    public void Begin() => OnDue(loop.NowMs);

    /// <summary>Tries no more.</summary>
    public void Cancel()
    {
        loop.Timers.Cancel(this);
        _tries = MaxTries;
    }

    public override void OnDue(long nowMs)
    {
        if (_tries >= MaxTries)
        {
            return;
        }

        Exception? failure = open();
        if (failure is not null && ++_tries < MaxTries)
        {
            loop.Timers.Arm(this, nowMs + PauseMs);
            return;
        }

        ended(failure);
    }
}
