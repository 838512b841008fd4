using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// Opens a driver after its predecessor has closed, when both cannot be open at the same time. A port is not free at the very moment at
/// which its socket was closed, so the opening is tried for a while.
/// </summary>
/// <param name="open">Opens the driver; returns the failure, or null when the driver is open.</param>
/// <param name="loop">The app's loop.</param>
/// <param name="ended">Called once, unless the opening is cancelled: with the last failure, or null when the driver is open.</param>
internal sealed class LateOpening(Func<Exception?> open, EventLoop loop, Action<Exception?> ended) : WheelTimer
{
    /// <summary>For 10 s: a driver that closes frees its port at once; if the port is taken longer, another program has it.</summary>
    private const int PauseMs = 50, MaxTries = 200;

    private int _tries;

    /// <summary>The predecessor has closed: the opening is tried from now on.</summary>
    public void Begin() => OnDue(loop.NowMs);

    /// <summary>Ends the tries.</summary>
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
