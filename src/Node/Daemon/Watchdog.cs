using Cocaine.Fast.Node.Threading;
using Microsoft.Extensions.Logging;

namespace Cocaine.Fast.Node.Daemon;

/// <summary>
/// Tells systemd that the node is alive as long as every loop of it comes round: one that is stuck ends the messages, and systemd ends the
/// node.
/// </summary>
internal static class Watchdog
{
    /// <param name="ping">Completes when every loop has come to it.</param>
    /// <param name="notifier">Hears the signs of life.</param>
    /// <param name="interval">Silence after which systemd acts; it is told twice within it.</param>
    /// <param name="log">Where a stuck loop goes.</param>
    /// <param name="stop">Ends it.</param>
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
            // how it ends
        }
    }
}
