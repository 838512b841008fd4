using Cocaine.Fast.Drivers.ZeroMq.Sockets;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Threading;

/// <summary>A node's ZeroMQ: its thread, made when first asked for, and how it ends.</summary>
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

    /// <summary>Ends what was started; when the process ends with the node, it waits for what is not sent yet.</summary>
    public async Task StopAsync()
    {
        if (!_poller.IsValueCreated)
        {
            return;
        }

        _poller.Value.Dispose();
        if (ownsProcess)
        {
            // Its sockets send in the background what they have left, as long as their linger lets them: the process must not end before.
            await Task.WhenAny(EndAllAsync(), Task.Delay(MaxLinger, NodeClock.Instance));
        }
    }
}
