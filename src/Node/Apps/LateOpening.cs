using Cocaine.Fast.Core.Timing;
using Cocaine.Fast.Transport.Loop;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Apps;

/// <summary>
/// Opens a driver after the one that it takes the place of has closed, where the two cannot be open at once. A port is not free in the very
/// moment in which its socket was closed, so it is tried for a while.
/// </summary>
internal sealed class LateOpening(string app, AppTask task, EventLoop loop, ILogger log, Action opened) : WheelTimer
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
        task.Late = null;
        _tries = MaxTries;
    }

    public override void OnDue(long nowMs)
    {
        if (_tries >= MaxTries)
        {
            return;
        }

        try
        {
            task.Driver.Open();
        }
        catch (Exception failure) when (TaskSet.IsOpenFailure(failure))
        {
            if (++_tries < MaxTries)
            {
                loop.Timers.Arm(this, nowMs + PauseMs);
                return;
            }

            ReloadLog.LateOpenFailed(log, app, task.Name, failure.Message);
            task.Late = null;
            return;
        }

        task.Late = null;
        opened();
    }
}
