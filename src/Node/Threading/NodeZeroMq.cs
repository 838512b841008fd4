using Cocaine.Fast.Drivers.ZeroMq.Sockets;

namespace Cocaine.Fast.Node.Threading;

/// <summary>The end of a node's ZeroMQ sockets: their last messages go out before the loops end.</summary>
internal sealed class NodeZeroMq
{
    /// <summary>Longest wait for unsent ZeroMQ messages at the end, whatever a task's linger says.</summary>
    private static readonly TimeSpan MaxLinger = TimeSpan.FromSeconds(30);

    /// <summary>The sockets that are closed and still send.</summary>
    public ClosingSockets Closing { get; } = new();

    /// <summary>Waits for the last messages.</summary>
    public async Task StopAsync()
    {
        try
        {
            await Closing.WhenNone().WaitAsync(MaxLinger, NodeClock.Instance);
        }
        catch (TimeoutException)
        {
            // The loops end, and close the sockets.
        }
    }
}
