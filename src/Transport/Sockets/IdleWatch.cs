using Cocaine.Fast.Core.Timing;

namespace Cocaine.Fast.Transport.Sockets;

/// <summary>
/// Closes a connection that is idle: no byte came, and nothing was under way, for a time. The watch looks when that can be the case:
/// cheaper than moving a timer with every byte.
/// </summary>
internal sealed class IdleWatch(SocketConnection connection) : WheelTimer
{
    private long _timeoutMs;       // 0 = the connection may be idle for ever
    private long _quietSinceMs;    // when the last work ended, ms of the loop's listened time

    /// <summary>From now on this is the longest silence, ms; 0 = no bound.</summary>
    public void Start(long timeoutMs)
    {
        _timeoutMs = timeoutMs;
        if (timeoutMs > 0)
        {
            connection.Loop.Patience.Arm(this, connection.Loop.ListenedMs + timeoutMs);
        }
        else
        {
            Stop();
        }
    }

    public void Stop() => connection.Loop.Patience.Cancel(this);

    /// <summary>The last work of the connection has ended.</summary>
    public void OnQuiet()
    {
        if (_timeoutMs > 0)
        {
            _quietSinceMs = connection.Loop.ListenedMs;
        }
    }

    public override void OnDue(long nowMs)
    {
        long dueMs = Math.Max(connection.LastReceivedMs, _quietSinceMs) + _timeoutMs;
        if (connection.IsBusy || dueMs > nowMs)
        {
            connection.Loop.Patience.Arm(this, dueMs > nowMs ? dueMs : nowMs + _timeoutMs);
        }
        else
        {
            connection.OnIdle();
        }
    }
}
