using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Tells systemd that the node is alive as long as every loop makes turns. A stuck loop ends the messages, and systemd ends the node.
/// </summary>
internal static class Watchdog
{
    /// <param name="ping">Completes when every loop has run it.</param>
    /// <param name="notifier">Hears the signs of life.</param>
    /// <param name="interval">Silence after which systemd acts; it gets two signs of life within this time.</param>
    /// <param name="log">Gets a line about a stuck loop.</param>
    /// <param name="stop">Ends the watch.</param>
    public static async Task RunAsync(Func<Task> ping, SystemdNotifier notifier, TimeSpan interval, ILogger log, CancellationToken stop)
    {
        using PeriodicTimer timer = new(interval / 2, NodeClock.Instance);
        Task answered = ping();
        int late = 0;
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (answered.IsCompletedSuccessfully)
                {
                    notifier.Alive();
                    answered = ping();
                    late = 0;
                }
                else
                {
                    DaemonLog.LoopStuck(log, (interval * ++late / 2).TotalSeconds);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // the usual end
        }
    }
}
