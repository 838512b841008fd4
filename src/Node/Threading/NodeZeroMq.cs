using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Threading;

/// <summary>A node's ZeroMQ: its thread, made when a driver first asks for it, and its end.</summary>
internal sealed class NodeZeroMq(bool ownsProcess, ILogger log)
{
    /// <summary>Longest wait for unsent ZeroMQ messages at the end, whatever a task's linger says.</summary>
    private static readonly TimeSpan MaxLinger = TimeSpan.FromSeconds(30);

    private readonly Lazy<ZeroMqPoller> _poller = new(() => new ZeroMqPoller(log)); // a node without ZeroMQ tasks never starts its thread

    public ZeroMqPoller Poller => _poller.Value;

    private static Task EndAllAsync() => NodeThreads.Run(() =>
    {
        ZeroMqPoller.EndAll();
        return Task.CompletedTask;
    });

    /// <summary>Ends the thread; when the process ends with the node, waits for unsent messages.</summary>
    public async Task StopAsync()
    {
        if (!_poller.IsValueCreated)
        {
            return;
        }

        _poller.Value.Dispose();
        if (ownsProcess)
        {
            // Its sockets send their last messages in the background, as long as their linger allows: the process must not end before.
            await Task.WhenAny(EndAllAsync(), Task.Delay(MaxLinger, NodeClock.Instance));
        }
    }
}
