using Cocaine.Fast.Transport.Loop;

namespace Cocaine.Fast.Node.Threading;

/// <summary>Calls from the node's threads to event loops, which complete on the node's threads.</summary>
internal static class LoopCalls
{
    /// <summary>
    /// Runs an action on a loop. The task completes with the action, on <see cref="NodeThreads"/>; it never completes when the loop has
    /// ended before.
    /// </summary>
    public static Task RunAsync(this EventLoop loop, Action action)
    {
        TaskCompletionSource done = new();
        loop.Post(() =>
        {
            try
            {
                action();
                NodeThreads.Complete(done);
            }
            catch (Exception failure)
            {
                NodeThreads.Fail(done, failure);
            }
        });
        return done.Task;
    }
}
